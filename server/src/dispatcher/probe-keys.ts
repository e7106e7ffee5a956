import { unknownKey } from '../formats/secret-text.ts'
import type { SenderEndpoint, SenderProbe, SenderSecret } from './sender-messages.ts'

/**
 * The keys of a probe, which need not be those that sign: a staged one too. Null where one of its
 * secrets is gone by now.
 */
export function probeKeys(
  { keys }: Pick<SenderProbe, 'keys'>,
  { secrets }: Pick<SenderEndpoint, 'secrets'>,
  randomBytes: (size: number) => Uint8Array,
): SenderSecret[] | null {
  const found: SenderSecret[] = []
  for (const { secretId, isWrong } of keys) {
    const secret = secrets.find(({ id, expirySeenAt }) => id === secretId && expirySeenAt === null)
    if (secret === undefined) return null
    found.push(isWrong ? { ...secret, ...unknownKey(secret, randomBytes) } : secret)
  }
  return found
}
