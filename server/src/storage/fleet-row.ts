import type { FleetEntry } from '../core/fleet.ts'
import type { ProjectSettings } from '../core/project.ts'
import type { SecretAlgorithm } from '../core/secret.ts'
import { type RotationRow, toRotation } from './rotation-row.ts'

export interface FleetRow extends Omit<RotationRow, 'id'> {
  /** Of the rotation; its columns are null where none is open. */
  id: string | null
  secret_seq: number
  secret_id: string
  algorithm: SecretAlgorithm
  secret_created_at: number
  over_age_told_at: number | null
  endpoint_id_of_entry: string
  uid: string | null
  url: string
  format: string
  unverifying_since: number | null
  project_id_of_entry: string
  project_name: string
  settings: string
}

export function toFleetEntry(row: FleetRow): FleetEntry {
  return {
    projectId: row.project_id_of_entry,
    projectName: row.project_name,
    policyOverride: (JSON.parse(row.settings) as ProjectSettings).secretPolicy,
    endpointId: row.endpoint_id_of_entry,
    endpointUid: row.uid,
    url: row.url,
    format: row.format,
    unverifyingSince: row.unverifying_since,
    secretId: row.secret_id,
    algorithm: row.algorithm,
    secretCreatedAt: row.secret_created_at,
    overAgeToldAt: row.over_age_told_at,
    rotation: row.id === null ? null : toRotation({ ...row, id: row.id }),
  }
}
