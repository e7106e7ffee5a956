import type { ImportedKey, ImportedKeys } from './imported-keys.ts'
import { keySetUrl } from './key-set-address.ts'
import { isPublicKeyText, type PublicKey, readKeySet, readPublicKey } from './public-keys.ts'
import type { WebhookFormat } from './webhook-format.ts'

/**
 * Public keys as a JWK set (RFC 7517), such as Countersign serves for an endpoint that signs with
 * Ed25519. Keys of other kinds in it are left out.
 *
 * @example
 * const keySet: WebhookKeySet = {
 *   keys: [{ kty: 'OKP', crv: 'Ed25519', kid: 'sec_1', x: '1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4' }],
 * }
 * await verifyWebhook(body, headers, keySet)
 */
export interface WebhookKeySet {
  keys: readonly object[]
}

/**
 * What a receiver holds to verify with: the text of a secret (`whsec_…`) or of a public key
 * (`whpk_…`), a JWK set, or the address of one, which is then read now and then.
 *
 * @example
 * const secrets: WebhookSecret[] = [
 *   'whsec_b2xkIHNlY3JldCBvZiB0d2VudHktZm91ciBieXRlcw==',
 *   new URL('https://hooks.example.com/.well-known/webhooks/ep_1/keys.json'),
 * ]
 * const event = await verifyWebhook(body, headers, secrets)
 */
export type WebhookSecret = string | URL | WebhookKeySet

/** One of the receiver's secrets, as it is verified with. */
export type HeldSecret =
  | { kind: 'mac'; key: ImportedKey }
  | { kind: 'public'; keys: readonly PublicKey[] }
  | { kind: 'followed'; url: string }

/**
 * Reads the receiver's secrets.
 * @throws TypeError for what is none in this format; never repeats a secret.
 */
export async function readSecrets(
  secrets: unknown,
  format: WebhookFormat,
  formatName: string,
  keys: ImportedKeys,
): Promise<HeldSecret[]> {
  const list: unknown[] = Array.isArray(secrets) ? secrets : [secrets]
  if (list.length === 0) throw new TypeError('secrets must hold at least one secret')
  return Promise.all(
    list.map(async (secret, index) => {
      const read = format.takesPublicKeys ? readPublic(secret) : null
      if (read !== null) return read
      const refuse = () => {
        throw new TypeError(`secrets[${index}] is not ${expected(secret, formatName)}`)
      }
      if (typeof secret !== 'string') return refuse()
      const key = await keys.get(`${formatName}:${secret}`, 'HMAC', () => {
        const isPublic = format.takesPublicKeys && isPublicKeyText(secret)
        return (isPublic ? null : format.keyBytes(secret)) ?? refuse()
      })
      return { kind: 'mac', key }
    }),
  )
}

function expected(secret: unknown, formatName: string): string {
  const isAddress = /^https?:/i.test(String(secret))
  return isAddress ? 'the https address of a key set' : `a secret of the format ${formatName}`
}

/** Null for what may be a symmetric secret, or nothing at all. */
function readPublic(secret: unknown): HeldSecret | null {
  if (typeof secret === 'object' && secret !== null && !isUrl(secret)) {
    const keys = readKeySet(secret)
    return keys === null || keys.length === 0 ? null : { kind: 'public', keys }
  }
  const text = String(secret)
  if (isPublicKeyText(text)) {
    const key = readPublicKey(text)
    return key === null ? null : { kind: 'public', keys: [key] }
  }
  const url = keySetUrl(text)
  return url === null ? null : { kind: 'followed', url }
}

/** No `instanceof`: test runners and frames have a `URL` of their own. */
function isUrl(value: object): boolean {
  return Object.prototype.toString.call(value) === '[object URL]'
}
