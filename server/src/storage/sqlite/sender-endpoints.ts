import type { Reads, SenderEndpointRecord } from '../storage.ts'

/** One after the other: in this process a read costs no round trip. */
export function senderEndpointReads(
  reads: Pick<Reads, 'getEndpointById' | 'listSecrets' | 'getProject'>,
): Pick<Reads, 'listSenderEndpoints'> {
  return {
    async listSenderEndpoints(endpointIds) {
      const records: SenderEndpointRecord[] = []
      for (const id of endpointIds) {
        const endpoint = await reads.getEndpointById(id)
        if (endpoint === null) continue
        const secrets = (await reads.listSecrets(id)).filter(
          ({ revokedAt, expirySeenAt }) => revokedAt === null && expirySeenAt === null,
        )
        const project = await reads.getProject(endpoint.projectId)
        const { retryScheduleMs = null, secretIdsInEveryFormat = false } = project?.settings ?? {}
        records.push({ endpoint, secrets, retryScheduleMs, secretIdsInEveryFormat })
      }
      return records
    },
  }
}
