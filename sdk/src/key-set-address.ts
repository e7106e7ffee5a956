import { CountersignError } from './errors.ts'

/**
 * The keys behind a key-set address could not be read, and none are remembered that may still be
 * used. Nothing is said about the request: answer 503, so that the sender tries again.
 *
 * @example
 * try {
 *   await verifyWebhook(body, headers, 'https://hooks.example.com/.well-known/webhooks/ep_1/keys.json')
 * } catch (error) {
 *   if (!(error instanceof KeySetError)) throw error
 *   console.error(error.url, error.message, error.cause)
 * }
 */
export class KeySetError extends CountersignError {
  override readonly name = 'KeySetError'
  /** Where the keys should have been. */
  readonly url: string

  constructor(url: string, message: string, options?: { cause: unknown }) {
    super(message, options)
    this.url = url
  }
}

/**
 * Where keys may be read from: `https`, or a server on this very machine. Null for anything else;
 * over plain http, whoever is in between could hand out keys of their own.
 */
export function keySetUrl(text: string): string | null {
  if (!URL.canParse(text)) return null
  const { protocol, hostname, username, password, href } = new URL(text)
  if (username !== '' || password !== '') return null
  const isSafe = protocol === 'https:' || (protocol === 'http:' && loopbackPattern.test(hostname))
  return isSafe ? href : null
}

const loopbackPattern = /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/
