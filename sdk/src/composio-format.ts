import { payloadMember, payloadText } from './payload-member.ts'
import { textKey } from './secret-key.ts'
import { standardHeadersFormat } from './standard-format.ts'
import type { WebhookFormat } from './webhook-format.ts'

/**
 * Composio: the headers of Standard Webhooks, keyed with the whole text of the secret. The version
 * is told by the body, which is signed, and not by its header, which is not.
 */
export const composioFormat: WebhookFormat = {
  ...standardHeadersFormat,
  keyBytes: textKey,

  readContent(payload, header) {
    const triggerName = payloadText(payload, 'trigger_name')
    if (triggerName === null) return standardHeadersFormat.readContent(payload, header)
    const data = payloadMember(payload, 'payload')
    return { id: header('webhook-id'), type: triggerName, data }
  },
}
