import type { Announcement, AnnouncementKind } from './storage.ts'

export interface AnnouncementRow {
  at: number
  kind: AnnouncementKind
  project_id: string
  endpoint_id: string
  rotation_id: string
  secret_id: string
}

export function toAnnouncement(row: AnnouncementRow): Announcement {
  return {
    at: row.at,
    kind: row.kind,
    projectId: row.project_id,
    endpointId: row.endpoint_id,
    rotationId: row.rotation_id,
    secretId: row.secret_id,
  }
}
