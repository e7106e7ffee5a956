import { type AnnouncementRow, toAnnouncement } from '../announcement-row.ts'
import type { Reads, Transaction } from '../storage.ts'
import type { Connection } from './connection.ts'
import type { Effects } from './effects.ts'

export function announcementReads(
  connection: Connection,
): Pick<Reads, 'listDueAnnouncements' | 'nextAnnouncementAt'> {
  return {
    async listDueAnnouncements(now, limit) {
      const rows = connection.all<AnnouncementRow>(
        `select at, kind, project_id, endpoint_id, rotation_id, secret_id
         from announcements
         where at <= ?
         order by at, rotation_id, secret_id, kind
         limit ?`,
        now,
        limit,
      )
      return rows.map(toAnnouncement)
    },

    async nextAnnouncementAt() {
      const row = connection.one<{ at: number | null }>('select min(at) as at from announcements')
      return row?.at ?? null
    },
  }
}

export function announcementWrites(
  connection: Connection,
  effects: Effects,
): Pick<Transaction, 'replaceAnnouncements' | 'deleteAnnouncement'> {
  return {
    async replaceAnnouncements(rotationId, announcements) {
      connection.run('delete from announcements where rotation_id = ?', rotationId)
      for (const announcement of announcements) {
        connection.write(
          `insert into announcements (rotation_id, secret_id, kind, at, project_id, endpoint_id)
           values (:rotationId, :secretId, :kind, :at, :projectId, :endpointId)`,
          { ...announcement },
        )
      }
      if (announcements.length > 0) effects.add({ kind: 'appoint' })
    },

    async deleteAnnouncement({ rotationId, secretId, kind, at }) {
      const count = connection.run(
        `delete from announcements
         where rotation_id = ? and secret_id = ? and kind = ? and at = ?`,
        rotationId,
        secretId,
        kind,
        at,
      )
      return count > 0
    },
  }
}
