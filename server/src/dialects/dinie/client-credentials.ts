import { Buffer } from 'node:buffer'
import type { IncomingHttpHeaders } from 'node:http'
import { unauthorized } from '../../api/authenticate.ts'

/**
 * Client id and secret of an `Authorization: Basic` header; both may be percent-encoded (RFC 6749,
 * 2.3.1).
 *
 * @throws AppError `unauthorized`
 */
export function clientCredentialsOf({ authorization }: IncomingHttpHeaders): {
  clientId: string
  clientSecret: string
} {
  if (authorization === undefined) {
    throw unauthorized('Send the header Authorization: Basic <client id and secret>.', 'missing')
  }
  const encoded = /^basic +([A-Za-z0-9+/_-]+={0,2})$/i.exec(authorization)?.[1]
  const text = encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon < 0) throw unauthorized('The Authorization header must hold a client id and secret.')
  return { clientId: decoded(text.slice(0, colon)), clientSecret: decoded(text.slice(colon + 1)) }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}
