import { base64Key, secretPrefix, textKey } from './secret-key.ts'
import { standardHeadersFormat } from './standard-format.ts'
import type { WebhookFormat } from './webhook-format.ts'

/** Dinie: Standard Webhooks, where a secret without its prefix is its own text. */
export const dinieFormat: WebhookFormat = {
  ...standardHeadersFormat,
  keyBytes: (secret) => (secret.startsWith(secretPrefix) ? base64Key(secret) : textKey(secret)),
}
