import type { Clock } from '../../core/clock.ts'
import { createDueSchedule, type DueEndpoint, readyAt } from '../due-schedule.ts'
import type { ClaimedDelivery, ClaimedEvent, ClaimRequest, Reads, Storage } from '../storage.ts'
import type { Connection } from './connection.ts'
import {
  type ClaimedRow,
  claimRows,
  type EventRow,
  findDueEndpoints,
  readClaimedEvents,
  readDueEndpoints,
  releaseRows,
  type StoreTime,
} from './due-deliveries.ts'
import type { Effect } from './effects.ts'
import type { Leases } from './leases.ts'
import { createNumbers } from './numbers.ts'

/**
 * What is due and who holds it. The store decides both: a claim is a row with a token and an end.
 * Memory only remembers which endpoints are worth asking about, so that a claim looks at those and at
 * no others; what it cannot know, that another node left something or ended, `look` finds.
 */
export interface Claims
  extends Pick<Storage, 'claimDue' | 'releaseClaims' | 'nextDueAt'>,
    Pick<Reads, 'backlog'> {
  /** Something of the endpoint's may be due that nobody has leased. From memory alone. */
  mayHoldDue(endpointId: string): boolean
  /** Brings memory up to a transaction that was committed. */
  apply(effects: readonly Effect[]): void
  /** Another node changed these, or left something due for them. */
  noteChanged(endpointIds: Iterable<string>): void
  noteDue(endpointIds: Iterable<string>): void
  /**
   * Looks in the store, a stretch of endpoints each time, for what memory does not know. True where
   * something is due.
   */
  look(): Promise<boolean>
  /** Gives back what this node has leased: it stops. */
  releaseAll(): Promise<void>
}

/** Endpoints that are asked about in one statement. */
const endpointsPerStepMax = 500

export function createClaims(options: {
  /** For claims and what they need to know; each statement is a transaction. */
  connection: Connection
  leases: Leases
  clock: Clock
  storeTime: StoreTime
  leaseMs: number
}): Claims {
  const { connection, leases, clock, storeTime, leaseMs } = options
  const schedule = createDueSchedule()
  const leaseTokens = createNumbers('lease_tokens')
  // Endpoints to look at again before the schedule is asked, each with the time it is held until.
  const stale = new Map<string, number>()
  // Endpoints that are being looked at: what is heard of them meanwhile makes them stale again.
  const looking = new Set<string>()
  // By claim, the endpoints that it takes from: the dispatcher has nothing of it yet, and what is newer
  // must not be handed over before.
  const claiming = new Set<Set<string>>()
  let hasLoaded = false
  let lookedUpTo = 0

  function markStale(endpointId: string, notBefore = 0): void {
    stale.set(endpointId, Math.max(stale.get(endpointId) ?? 0, notBefore))
  }

  function addDue(endpointId: string, dueAt: number): void {
    const endpoint = schedule.get(endpointId)
    if (endpoint === undefined || looking.has(endpointId)) markStale(endpointId)
    else if (dueAt < endpoint.dueAt) schedule.put({ ...endpoint, dueAt })
  }

  /** Everything that waits, in steps, the first time that anyone asks. */
  async function load(): Promise<void> {
    while (!hasLoaded) {
      const found = await findDueEndpoints(connection, {
        after: lookedUpTo,
        limit: endpointsPerStepMax,
        now: storeTime(),
      })
      for (const { endpointId } of found) markStale(endpointId)
      hasLoaded = found.length < endpointsPerStepMax
      lookedUpTo = hasLoaded ? 0 : (found.at(-1)?.endpointSeq ?? 0)
    }
  }

  /** After this the schedule says what the store says of every endpoint that something was heard of. */
  async function bringUpToDate(): Promise<void> {
    await load()
    for (const lease of leases.takeExpired(clock.monotonic())) markStale(lease.endpointId)
    while (stale.size > 0) await lookAtSome()
  }

  async function lookAtSome(): Promise<void> {
    const asked = [...stale].slice(0, endpointsPerStepMax)
    for (const [endpointId] of asked) {
      stale.delete(endpointId)
      looking.add(endpointId)
    }
    try {
      await lookAt(asked)
    } catch (error) {
      for (const [endpointId, heldUntil] of asked) markStale(endpointId, heldUntil)
      throw error
    } finally {
      for (const [endpointId] of asked) looking.delete(endpointId)
    }
  }

  async function lookAt(asked: readonly (readonly [string, number])[]): Promise<void> {
    const ids = asked.map(([endpointId]) => endpointId)
    const rows = await readDueEndpoints(connection, ids, storeTime())
    for (const [endpointId, heldUntil] of asked) {
      const row = rows.get(endpointId)
      const notBefore = Math.max(heldUntil, schedule.get(endpointId)?.notBefore ?? 0)
      if (row === undefined || row.dueAt === null) schedule.remove(endpointId)
      else schedule.put({ ...row, dueAt: row.dueAt, notBefore })
    }
  }

  /** Takes out of the schedule who is to be asked, those that are ready first at the front. */
  function takeReady(
    request: ClaimRequest,
    claim: { now: number; left: number },
    passedOver: DueEndpoint[],
  ): DueEndpoint[] {
    const ready: DueEndpoint[] = []
    const { now, left } = claim
    const countMax = Math.min(endpointsPerStepMax, left)
    const { fullEndpointIds, onlyEndpointIds } = request
    if (onlyEndpointIds !== undefined) {
      for (const id of onlyEndpointIds) {
        const endpoint = schedule.get(id)
        if (endpoint === undefined || readyAt(endpoint) > now || fullEndpointIds.has(id)) continue
        ready.push(endpoint)
        schedule.remove(id)
        if (ready.length === countMax) break
      }
      return ready
    }
    while (ready.length < countMax) {
      const endpoint = schedule.first()
      if (endpoint === undefined || readyAt(endpoint) > now) break
      schedule.remove(endpoint.endpointId)
      if (fullEndpointIds.has(endpoint.endpointId)) passedOver.push(endpoint)
      else ready.push(endpoint)
    }
    return ready
  }

  /** Leases what is due of these endpoints, at most `limit`, and reads what is to be sent. */
  async function claimFrom(
    ready: readonly DueEndpoint[],
    step: { limit: number; perEndpointMaxOf: (endpoint: DueEndpoint) => number; dueUntil: number },
    events: Map<string, ClaimedEvent>,
  ): Promise<ClaimedDelivery[]> {
    const untilMonotonic = clock.monotonic() + leaseMs
    const nextToken = await leaseTokens.take(connection, step.limit)
    const tokens = Array.from({ length: step.limit }, nextToken)
    const rows = await claimRows(connection, { ready, ...step, tokens, leaseMs, now: storeTime() })
    const places = new Map(ready.map(({ endpointSeq }, index) => [endpointSeq, index]))
    const placeOf = (row: ClaimedRow) => places.get(row.endpoint_seq) ?? 0
    rows.sort((a, b) => placeOf(a) - placeOf(b) || a.due_at - b.due_at || a.seq - b.seq)
    for (const row of rows) {
      const { endpointId } = ready[placeOf(row)] ?? { endpointId: '' }
      leases.insert({
        endpointId,
        projectSeq: row.project_seq,
        seq: row.seq,
        token: row.lease_token,
        untilMonotonic,
      })
    }
    const eventRows = await readEvents(rows)
    return rows.flatMap((row) => {
      const event = toClaimedEvent(events, row, eventRows)
      // Expunged a moment ago: the delivery is gone from the schedule as well.
      if (event === undefined) return []
      return [
        {
          id: row.id,
          projectId: event.projectId,
          endpointId: ready[placeOf(row)]?.endpointId ?? '',
          event: event.claimed,
          attemptCount: row.attempt_count,
          seriesAttemptCount: row.series_attempt_count,
          isTest: row.is_test,
          isEndpointDeleted: ready[placeOf(row)]?.deletedAt !== null,
          leaseToken: row.lease_token,
          leaseUntilMonotonic: untilMonotonic,
        },
      ]
    })
  }

  /** Where it cannot read what it has claimed, it has claimed nothing. */
  async function readEvents(rows: readonly ClaimedRow[]): Promise<Map<string, EventRow>> {
    try {
      return await readClaimedEvents(connection, rows)
    } catch (error) {
      const lost = rows.flatMap(({ seq }) => leases.remove(seq) ?? [])
      // If that fails too, they are due again when the leases have run out.
      await release(lost).catch(() => {})
      throw error
    }
  }

  async function claimDue(request: ClaimRequest): Promise<ClaimedDelivery[]> {
    const from = new Set<string>()
    claiming.add(from)
    try {
      return await claimReady(request, from)
    } finally {
      claiming.delete(from)
    }
  }

  async function claimReady(request: ClaimRequest, from: Set<string>): Promise<ClaimedDelivery[]> {
    await bringUpToDate()
    const claimed: ClaimedDelivery[] = []
    const passedOver: DueEndpoint[] = []
    const events = new Map<string, ClaimedEvent>()
    const now = clock.now()
    const { pace } = request
    const perEndpointMaxOf = ({ endpointId, deletedAt }: DueEndpoint) =>
      deletedAt === null && pace?.endpointIds.has(endpointId)
        ? pace.perEndpointMax
        : request.perEndpointMax
    try {
      while (claimed.length < request.limit) {
        const left = request.limit - claimed.length
        const ready = takeReady(request, { now, left }, passedOver)
        if (ready.length === 0) break
        // What is left of them is looked at before the schedule is asked again.
        for (const endpoint of ready) {
          from.add(endpoint.endpointId)
          markStale(endpoint.endpointId, endpoint.notBefore)
        }
        const step = { limit: left, perEndpointMaxOf, dueUntil: now }
        const taken = await claimFrom(ready, step, events)
        for (const { endpointId } of taken) {
          if (pace?.endpointIds.has(endpointId)) markStale(endpointId, now + pace.holdMs)
        }
        claimed.push(...taken)
      }
    } finally {
      for (const endpoint of passedOver) schedule.put(endpoint)
    }
    // Once: others go on making endpoints stale, and what was claimed must not wait for them all. It
    // is not lost where this fails; whoever asks next tries again.
    if (claimed.length < request.limit && stale.size > 0) await lookAtSome().catch(() => {})
    return claimed
  }

  async function release(releases: readonly { projectSeq: number; seq: number; token: number }[]) {
    if (releases.length > 0) await releaseRows(connection, releases)
  }

  return {
    claimDue,

    async releaseClaims(releases) {
      const held = releases.flatMap(({ endpointId, leaseToken, notBefore }) => {
        const lease = leases.get(leaseToken, clock.monotonic())
        return lease === undefined ? [] : [{ lease, endpointId, notBefore }]
      })
      await release(held.map(({ lease }) => lease))
      for (const { lease, endpointId, notBefore } of held) {
        leases.remove(lease.seq, lease.token)
        markStale(endpointId, notBefore ?? 0)
      }
    },

    async nextDueAt() {
      await bringUpToDate()
      const first = schedule.first()
      return first === undefined ? null : readyAt(first)
    },

    async backlog() {
      await bringUpToDate()
      const row = await connection.one<{ count: number }>(
        'select count(*) as count from due_deliveries',
      )
      return { pending: row?.count ?? 0, oldestDueAt: schedule.oldestDueAt() }
    },

    mayHoldDue(endpointId) {
      if (stale.has(endpointId) || looking.has(endpointId)) return true
      for (const from of claiming) if (from.has(endpointId)) return true
      return (schedule.get(endpointId)?.dueAt ?? Infinity) <= clock.now()
    },

    apply(effects) {
      for (const effect of effects) {
        if (effect.kind === 'handOver' || effect.kind === 'lease') leases.insert(effect.lease)
        else if (effect.kind === 'due') addDue(effect.endpointId, effect.dueAt)
        else if (effect.kind === 'settle') {
          // A lease that ran out during its own transaction was put back into the schedule. And what
          // is committed may be claimed anew before this is heard of: that lease stays.
          if (leases.remove(effect.seq, effect.token) === undefined) markStale(effect.endpointId)
          if (effect.dueAt !== null) addDue(effect.endpointId, effect.dueAt)
        } else if (effect.kind === 'retry') {
          // Nobody had it; whoever has it now claimed it since.
          markStale(effect.endpointId)
        } else if (effect.kind === 'hasten') {
          const endpoint = schedule.get(effect.endpointId)
          const notBefore = (endpoint?.notBefore ?? 0) - effect.byMs
          if (endpoint !== undefined) schedule.put({ ...endpoint, notBefore })
          stale.set(effect.endpointId, (stale.get(effect.endpointId) ?? 0) - effect.byMs)
        } else if (effect.kind === 'endpointDeleted') {
          const endpoint = schedule.get(effect.endpointId)
          if (endpoint !== undefined) schedule.put({ ...endpoint, deletedAt: effect.at })
        }
      }
    },

    noteChanged(endpointIds) {
      for (const id of endpointIds) if (schedule.get(id) !== undefined) markStale(id)
    },

    noteDue(endpointIds) {
      for (const id of endpointIds) markStale(id)
    },

    async look() {
      await load()
      const found = await findDueEndpoints(connection, {
        after: lookedUpTo,
        limit: endpointsPerStepMax,
        now: storeTime(),
      })
      lookedUpTo = found.length < endpointsPerStepMax ? 0 : (found.at(-1)?.endpointSeq ?? 0)
      const now = clock.now()
      let isDue = false
      for (const { endpointId, dueAt } of found) {
        const known = schedule.get(endpointId)
        if (dueAt === null || (known !== undefined && known.dueAt <= dueAt)) continue
        markStale(endpointId)
        if (dueAt <= now) isDue = true
      }
      return isDue
    },

    async releaseAll() {
      await release(leases.takeAll())
    },
  }
}

function toClaimedEvent(
  events: Map<string, ClaimedEvent>,
  row: ClaimedRow,
  rows: ReadonlyMap<string, EventRow>,
): { claimed: ClaimedEvent; projectId: string } | undefined {
  const key = `${row.project_seq} ${row.event_seq}`
  const found = rows.get(key)
  if (found === undefined || found.data === null) return undefined
  const { project_id: projectId, id, type, timestamp, data, metadata } = found
  let claimed = events.get(key)
  if (claimed === undefined) {
    claimed = { id, type, timestamp, data, metadata, createdAt: found.created_at }
    events.set(key, claimed)
  }
  return { claimed, projectId }
}
