/** What the process ends with. `countersign --help` shows this table. */
export const exitCodes = {
  /** Done; for a server: stopped in good order. */
  ok: 0,
  /**
   * It could not start or did not succeed, a server refused, a check did not pass, or it was told
   * twice to stop. What happened is on stderr.
   */
  failure: 1,
  /** The configuration or the command line is wrong. Nothing was done. */
  usage: 2,
  /** No answer came from the server. What was asked may have been done all the same. */
  unreachable: 3,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]
