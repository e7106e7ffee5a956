import type { Vector, VectorFile } from '../../scripts/webhook-vectors/vector.ts'
import type { verifyWebhook, WebhookFormatName } from '../src/verify-webhook.ts'

/** Holds a verifier against vectors, in any runtime; names those on which it is wrong. */
export async function judgeVectorFiles(
  verify: typeof verifyWebhook,
  files: readonly VectorFile[],
): Promise<{ count: number; wrong: string[] }> {
  const wrong: string[] = []
  let count = 0
  for (const { format, vectors } of files) {
    // Kinds of one format have files of their own: `composio-v1`, `standard-ed25519`.
    const name = format.replace(/-(?:v\d|ed25519)$/, '') as WebhookFormatName
    for (const vector of vectors) {
      count += 1
      const verdict = await verdictOf(verify, name, vector)
      const { expected } = vector
      const right = expected.valid ? expected.matched_secret_index : expected.reason
      if (verdict !== right) wrong.push(`${format}: ${vector.name}: ${verdict}`)
    }
  }
  return { count, wrong }
}

/** Which secret matched, or why none did. */
function verdictOf(
  verify: typeof verifyWebhook,
  format: WebhookFormatName,
  { body, headers, secrets, now }: Vector,
): Promise<number | string> {
  return verify(body, headers, secrets, { format, now: new Date(now * 1_000) }).then(
    ({ matchedSecretIndex }) => matchedSecretIndex,
    (error) => error.code ?? String(error),
  )
}
