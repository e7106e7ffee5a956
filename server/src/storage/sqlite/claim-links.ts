import { type ClaimLinkRow, toClaimLink } from '../claim-link-row.ts'
import type { Reads, Transaction } from '../storage.ts'
import type { Connection } from './connection.ts'

const columns = `hash, project_id, endpoint_id, rotation_id, created_at, claimed_at, disputed_at`

export function claimLinkReads(
  connection: Connection,
): Pick<Reads, 'findClaimLink' | 'getClaimLink'> {
  return {
    async findClaimLink(hash) {
      const row = connection.one<ClaimLinkRow>(
        `select ${columns} from claim_links where hash = ?`,
        hash,
      )
      return row === undefined ? null : toClaimLink(row)
    },

    async getClaimLink(rotationId) {
      const row = connection.one<ClaimLinkRow>(
        `select ${columns} from claim_links where rotation_id = ?`,
        rotationId,
      )
      return row === undefined ? null : toClaimLink(row)
    },
  }
}

export function claimLinkWrites(connection: Connection): Pick<Transaction, 'putClaimLink'> {
  return {
    async putClaimLink(link) {
      connection.run('delete from claim_links where rotation_id = ?', link.rotationId)
      connection.write(
        `insert into claim_links (hash, project_id, endpoint_id, rotation_id, created_at,
           claimed_at, disputed_at)
         values (:hash, :projectId, :endpointId, :rotationId, :createdAt, :claimedAt, :disputedAt)`,
        { ...link },
      )
    },
  }
}
