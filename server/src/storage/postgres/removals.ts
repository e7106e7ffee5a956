import type { Transaction } from '../storage.ts'
import type { Connection } from './connection.ts'
import type { Effects } from './effects.ts'

interface EventRow {
  project_seq: number
  created_at: number
  seq: number
}

/** What takes things away for good: privacy requests and the end of retention. */
export function removalWrites(
  connection: Connection,
  effects: Effects,
): Pick<Transaction, 'expungeEvent' | 'deleteOldEvents'> {
  return {
    async expungeEvent(projectId, eventId, at) {
      const event = await connection.one<EventRow>(
        `select e.project_seq, e.created_at, e.seq
         from projects p join events e on e.project_seq = p.seq and e.id = ?
         where p.id = ? and p.deleted_at is null`,
        eventId,
        projectId,
      )
      if (event === undefined) return false
      const key = [event.project_seq, event.created_at, event.seq]
      await connection.run(
        `update events set data = null, metadata = '{}'
         where project_seq = ? and created_at = ? and seq = ?`,
        ...key,
      )
      // Receivers repeat what they were sent: their answers go with it.
      await connection.run(
        `with own as materialized (
           select project_seq, created_at, seq from deliveries
           where project_seq = ? and created_at = ? and event_seq = ?
         )
         update attempts a
         set response_headers = case when a.status_code is null then null else '{}' end,
           response_body = case when a.status_code is null then null else ''::bytea end
         from own
         where a.project_seq = own.project_seq and a.created_at = own.created_at
           and a.delivery_seq = own.seq`,
        ...key,
      )
      await failPending(key, at)
      return true
    },

    async deleteOldEvents(projectId, before, limit) {
      const events = await connection.all<EventRow>(
        // A look-up for each event: as `not exists`, the planner makes a join of it, and for that it
        // reads every delivery that is older before it returns the first event.
        `select e.project_seq, e.created_at, e.seq
         from events e
         where e.project_seq = (select seq from projects where id = ?) and e.created_at < ? and (
           select 1 from deliveries d
           where d.project_seq = e.project_seq and d.created_at = e.created_at
             and d.event_seq = e.seq and d.status = 'pending'
           limit 1
         ) is null
         order by e.created_at
         limit ?`,
        projectId,
        before,
        limit,
      )
      if (events.length > 0) await removeEvents(events)
      return events.length
    },
  }

  /** Ends their leases as well, so that the result of an attempt under way is not recorded. */
  async function failPending(key: readonly number[], at: number): Promise<void> {
    const rows = await connection.all<{ seq: number; endpoint_id: string }>(
      `with own as (
         update deliveries
         set status = 'failed', missed = 'failed', failure_reason = 'refused', completed_at = ?
         where project_seq = ? and created_at = ? and event_seq = ? and status = 'pending'
         returning project_seq, seq, endpoint_seq
       ), unscheduled as (
         delete from due_deliveries q using own
         where q.project_seq = own.project_seq and q.seq = own.seq
       )
       select own.seq, ep.id as endpoint_id from own join endpoints ep on ep.seq = own.endpoint_seq`,
      at,
      ...key,
    )
    for (const { seq, endpoint_id: endpointId } of rows) {
      effects.add({ kind: 'settle', seq, endpointId, dueAt: null })
      effects.add({ kind: 'ended', status: 'failed' })
    }
  }

  /** With their deliveries and attempts, and the ids that callers chose for them. */
  async function removeEvents(events: readonly EventRow[]): Promise<void> {
    await connection.run(
      `with old as materialized (
         select * from unnest(?::bigint[], ?::bigint[], ?::bigint[])
           as o(project_seq, created_at, seq)
       ), own as materialized (
         select d.project_seq, d.created_at, d.seq
         from old join deliveries d on d.project_seq = old.project_seq
           and d.created_at = old.created_at and d.event_seq = old.seq
       ), attempted as (
         delete from attempts a using own
         where a.project_seq = own.project_seq and a.created_at = own.created_at
           and a.delivery_seq = own.seq
       ), delivered as (
         delete from deliveries d using own
         where d.project_seq = own.project_seq and d.created_at = own.created_at
           and d.seq = own.seq
       ), gone as (
         delete from events e using old
         where e.project_seq = old.project_seq and e.created_at = old.created_at
           and e.seq = old.seq
         returning e.project_seq, e.id
       )
       delete from caller_event_ids c using gone
       where c.project_seq = gone.project_seq and c.id = gone.id`,
      events.map((event) => event.project_seq),
      events.map((event) => event.created_at),
      events.map((event) => event.seq),
    )
  }
}
