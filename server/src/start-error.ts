/**
 * The server cannot start, and the operator can do something about it. The message is one sentence
 * for the operator that names the thing at fault and the way out; it never holds a secret.
 */
export class StartError extends Error {
  override readonly name = 'StartError'
}
