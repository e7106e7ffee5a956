import type { Transaction } from '../storage.ts'
import type { Connection } from './connection.ts'
import type { Effects } from './effects.ts'

interface EventRow {
  seq: number
  first_delivery_seq: number | null
  delivery_count: number
}

/** What takes things away for good: privacy requests and the end of retention. */
export function removalWrites(
  connection: Connection,
  effects: Effects,
): Pick<Transaction, 'expungeEvent' | 'deleteOldEvents'> {
  return {
    async expungeEvent(projectId, eventId, at) {
      const event = connection.one<EventRow>(
        `select e.seq, e.first_delivery_seq, e.delivery_count
         from projects p join events e on e.project_seq = p.seq and e.id = ?
         where p.id = ? and p.deleted_at is null`,
        eventId,
        projectId,
      )
      if (event === undefined) return false
      connection.run(`update events set data = null, metadata = '{}' where seq = ?`, event.seq)
      const [first, last] = deliverySeqs(event)
      // Receivers repeat what they were sent: their answers go with it.
      connection.run(
        `update attempts
         set response_headers = case when status_code is null then null else '{}' end,
           response_body = case when status_code is null then null else '' end
         where delivery_seq between ? and ?`,
        first,
        last,
      )
      failPending(first, last, at)
      effects.add({ kind: 'erase' })
      return true
    },

    async deleteOldEvents(projectId, before, limit) {
      const events = connection.all<EventRow>(
        `select e.seq, e.first_delivery_seq, e.delivery_count
         from projects p join events e indexed by events_by_project on e.project_seq = p.seq
         where p.id = ? and e.created_at < ? and not exists (
           select 1 from deliveries d not indexed
           where d.seq between e.first_delivery_seq and e.first_delivery_seq + e.delivery_count - 1
             and d.status = 'pending'
         )
         order by e.created_at
         limit ?`,
        projectId,
        before,
        limit,
      )
      for (const event of events) {
        const [first, last] = deliverySeqs(event)
        connection.run('delete from attempts where delivery_seq between ? and ?', first, last)
        connection.run('delete from deliveries where seq between ? and ?', first, last)
        connection.run('delete from events where seq = ?', event.seq)
      }
      if (events.length > 0) effects.add({ kind: 'erase' })
      return events.length
    },
  }

  /** Ends their leases as well, so that the result of an attempt under way is not recorded. */
  function failPending(first: number, last: number, at: number): void {
    const rows = connection.all<{ seq: number; endpoint_id: string }>(
      `select d.seq, ep.id as endpoint_id
       from deliveries d not indexed cross join endpoints ep on ep.seq = d.endpoint_seq
       where d.seq between ? and ? and d.status = 'pending'`,
      first,
      last,
    )
    connection.run(
      `update deliveries
       set status = 'failed', failure_reason = 'refused', due_at = null, completed_at = ?
       where seq between ? and ? and status = 'pending'`,
      at,
      first,
      last,
    )
    for (const { seq, endpoint_id: endpointId } of rows) {
      effects.add({ kind: 'settle', seq, endpointId, dueAt: null })
      effects.add({ kind: 'ended', status: 'failed' })
    }
  }
}

/** The event's deliveries lie side by side; without any, a span that holds nothing. */
function deliverySeqs({ first_delivery_seq: first, delivery_count: count }: EventRow) {
  return first === null ? ([0, -1] as const) : ([first, first + count - 1] as const)
}
