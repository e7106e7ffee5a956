/** The command line, a file or a variable that it names is wrong. Nothing was done. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
