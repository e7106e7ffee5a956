/** What the process ends with. `countersign --help` shows this table. */
export const exitCodes = {
  /** Done; for a server: stopped in good order. */
  ok: 0,
  /** It could not start or did not succeed, or was told twice to stop. One sentence on stderr. */
  failure: 1,
  /** The configuration or the command line is wrong. Nothing was done. */
  usage: 2,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]
