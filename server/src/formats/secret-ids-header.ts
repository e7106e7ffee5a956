import type { SigningKey } from './format.ts'

export const secretIdsHeaderName = 'webhook-secret-ids'

/**
 * The ids of the secrets behind the signatures, in the same order, so that a receiver can tell which
 * of its secrets is in use. No header where nothing signs.
 */
export function secretIdsHeader(keys: readonly SigningKey[]): Record<string, string> {
  return keys.length === 0 ? {} : { [secretIdsHeaderName]: keys.map(({ id }) => id).join(',') }
}
