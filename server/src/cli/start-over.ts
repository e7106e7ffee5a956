/** What of the process this needs. */
type Process = Pick<
  NodeJS.Process,
  'argv' | 'env' | 'execArgv' | 'execPath' | 'execve' | 'platform' | 'send'
>

/** The commands that go on for months. */
const serving: ReadonlySet<string> = new Set(['serve', 'dev', 'demo'])

/**
 * How large each half of a thread's young generation may become, in MiB. V8 would take 32, most of
 * it for garbage that nobody has collected yet: 60 MB of a server at full load. Smaller halves than
 * these make large events and batches grow old before they are sent (docs/decisions/0055-memory.md).
 */
export const semiSpaceFlag = '--max-semi-space-size=16'

/**
 * Begins a server once more with `semiSpaceFlag`, which V8 takes from its command line alone: the
 * same process by its id, with its files and its environment. Does not return where it does that.
 * Where it cannot be, or someone has said otherwise, everything stays as it is: only memory is lost.
 */
export function startOver(owner: Process): void {
  const [, , command = ''] = owner.argv
  const said = [...owner.execArgv, owner.env.NODE_OPTIONS ?? ''].join(' ')
  const isSaid = /semi[-_]space[-_]size/.test(said)
  // A channel to a parent would be closed by it, and the process could not begin.
  const hasParent = owner.send !== undefined
  if (!serving.has(command) || isSaid || hasParent || owner.platform === 'win32') return
  try {
    owner.execve?.(owner.execPath, [
      owner.execPath,
      semiSpaceFlag,
      ...owner.execArgv,
      ...owner.argv.slice(1),
    ])
  } catch {
    // Not allowed here, or not there.
  }
}
