import assert from 'node:assert/strict'
import pg from 'pg'
import type { Clock } from '../../src/core/clock.ts'
import type { Storage } from '../../src/storage/storage.ts'
import type { Samples } from '../../src/storage/suite/samples-suite.ts'

/** A store that is claimed from; `StorageNode` is one. */
export interface ClaimedStore {
  storage: Storage
  samples: Samples
  clock: Clock
}

/** Deliveries of one claim. */
export const claimBatch = 500
/** Endpoints that what is claimed is shared by. */
export const claimEndpoints = 100

/** The project that claims are measured in, with its endpoints. */
export async function prepareClaims({ samples }: ClaimedStore): Promise<string> {
  const project = await samples.addProject()
  for (let count = 0; count < claimEndpoints; count += 1) {
    await samples.addEndpoint(project.id, { eventTypes: [typeOf(count)] })
  }
  return project.id
}

/**
 * How long a claim takes in milliseconds, the median of `rounds`. Publishes as much as it claims and
 * records what it has claimed, so that rows come and go.
 */
export async function medianClaimMs(
  { storage, samples }: ClaimedStore,
  projectId: string,
  rounds: number,
): Promise<number> {
  const took: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    const types = Array.from({ length: claimBatch }, (_, index) => ({
      type: typeOf((round * claimBatch + index) % claimEndpoints),
    }))
    await samples.publish(projectId, ...types)
    // The store learns what waits before the first claim, as at its start.
    await storage.nextDueAt()
    const startedAt = performance.now()
    const claimed = await storage.claimDue({
      limit: claimBatch,
      perEndpointMax: claimBatch / claimEndpoints,
      fullEndpointIds: new Set(),
    })
    took.push(performance.now() - startedAt)
    assert.equal(claimed.length, claimBatch)
    await storage.transact(
      (tx) => tx.recordAttempts(claimed.map((delivery) => samples.result(delivery))),
      { isInterleaved: true },
    )
  }
  return took.sort((a, b) => a - b)[rounds >> 1] ?? Number.NaN
}

/** Of the events for an endpoint, counted from 0. */
export function typeOf(endpoint: number): string {
  return `type.${endpoint}`
}

/**
 * Puts deliveries into a database that `prepareClaims` has prepared, made by the server itself. What
 * is pending is as publishing leaves it. What is finished is so many rows of `deliveries`, which are
 * all that a claim could meet: without attempts, and of one event. Ends when the server has cleaned up.
 */
export async function fillDatabase(
  url: string,
  { storage, samples, clock }: ClaimedStore,
  options: {
    pendingCount: number
    finishedCount: number
    /** Told how many rows there are. */
    onStep?: (count: number) => void
  },
): Promise<void> {
  const { pendingCount, finishedCount, onStep } = options
  const { items } = await storage.listProjects({ limit: 1, after: null })
  const projectId = items[0]?.id ?? ''
  const [first] = await samples.publish(projectId, { type: 'type.none' })
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const createdAt = first?.createdAt ?? clock.now()
    // Below all numbers that are given. What waits has an event each, as what is published next.
    const insert = async (status: 'delivered' | 'pending', from: number, to: number) => {
      if (status === 'pending') {
        await client.query(
          `insert into events (project_seq, created_at, seq, delivery_count, id, type, timestamp,
             metadata, data)
           select e.project_seq, e.created_at, -n, 1, 'evt_filled_' || n, e.type, e.timestamp,
             e.metadata, e.data
           from events e, generate_series($1::bigint, $2::bigint) as n
           where e.created_at = $3 and e.seq > 0`,
          [from, to, createdAt],
        )
      }
      await client.query(
        `insert into deliveries (project_seq, created_at, seq, endpoint_seq, event_seq, is_test, id,
           status)
         select e.project_seq, e.created_at, -n, ep.seq,
           case when '${status}' = 'pending' then -n else e.seq end, false, 'dlv_filled_' || n,
           '${status}'
         from events e, generate_series($1::bigint, $2::bigint) as n
           join endpoints ep on ep.seq = (select min(seq) from endpoints) + n % ${claimEndpoints}
         where e.created_at = $3 and e.seq > 0`,
        [from, to, createdAt],
      )
      onStep?.(to)
    }
    const step = 250_000
    for (let from = 0; from < finishedCount; from += step) {
      await insert('delivered', from + 1, Math.min(from + step, finishedCount))
    }
    for (let from = 0; from < pendingCount; from += step) {
      const to = Math.min(from + step, pendingCount)
      await insert('pending', finishedCount + from + 1, finishedCount + to)
    }
    await client.query(
      `insert into due_deliveries (project_seq, seq, endpoint_seq, due_at, lease_until, lease_token,
         created_at, event_seq, attempt_count, series_attempt_count, is_test, id)
       select project_seq, seq, endpoint_seq, created_at, 0, 0, created_at, event_seq, 0, 0, false, id
       from deliveries where status = 'pending'`,
    )
    await client.query('vacuum analyze')
  } finally {
    await client.end()
  }
}
