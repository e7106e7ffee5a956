/** As `engines` in the package says. */
const oldestMajor = 24

/** A sentence where this version of Node is too old for the server and its commands; else null. */
export function refuseOldNode(version: string): string | null {
  return Number.parseInt(version, 10) >= oldestMajor
    ? null
    : `Countersign needs Node ${oldestMajor} or newer; this is ${version}.`
}
