import assert from 'node:assert/strict'
import type { Storage } from '../../src/storage/storage.ts'

/**
 * Stores another endpoint like this one, the same in everything but its id and that its secret is an
 * Ed25519 key. Resolves to its id.
 */
export async function addEd25519Twin(
  storage: Storage,
  projectId: string,
  endpointId: string,
): Promise<string> {
  const endpoint = await storage.getEndpoint(projectId, endpointId)
  const [secret] = await storage.listSecrets(endpointId)
  assert.ok(endpoint && secret)
  const id = `${endpointId.slice(0, -4)}ffff`
  const secretId = `${secret.id.slice(0, -4)}ffff`
  await storage.transact(async (tx) => {
    await tx.insertEndpoint({ ...endpoint, id, dialect: null })
    await tx.insertSecret({ ...secret, id: secretId, endpointId: id, algorithm: 'ed25519' })
  })
  return id
}
