import type { Endpoint } from '../../core/endpoint.ts'
import type { Health } from '../../core/health.ts'
import { type EndpointRow, toEndpoint } from '../endpoint-row.ts'
import type { AttemptResult, Transaction } from '../storage.ts'
import type { Connection } from './connection.ts'
import type { Effects } from './effects.ts'
import { updateHealth } from './endpoint-health.ts'
import { endpointColumns, endpointTables } from './endpoints.ts'

/**
 * A transaction that records results has turned out to change something that others may be changing
 * as well: it is to be run again from its beginning, in order with all others.
 */
export class MustBeInOrder extends Error {
  override readonly name = 'MustBeInOrder'
}

/** What may be written while others come in between, for it adds up or is held under a lock. */
const interleavable: ReadonlySet<string> = new Set<keyof Transaction>([
  'recordAttempts',
  'updateEndpointHealth',
  'touchSecrets',
  'latchExpiredSecrets',
  'addReportedSecrets',
  'touchApiKeys',
  'setMeta',
])

/** The same writes, of which those that others must not come in between are refused. */
export function interleavedWrites<Writes extends object>(writes: Writes): Writes {
  const refuse = async () => {
    throw new MustBeInOrder('Others may change this as well.')
  }
  const entries = Object.entries(writes)
  return Object.fromEntries(
    entries.map(([name, write]) => [name, interleavable.has(name) ? write : refuse]),
  ) as Writes
}

/** Only blocking changes what is sent; all else would wake every consumer at each attempt. */
function noteBlocking(effects: Effects, endpoint: BlockableEndpoint, health: Health): void {
  if (!isBlocking(endpoint, health)) return
  effects.touch('endpointIds', endpoint.id)
  effects.add({ kind: 'subscriptions', projectId: endpoint.projectId })
}

function isBlocking(endpoint: BlockableEndpoint, health: Health): boolean {
  return (endpoint.health === 'blocked') !== (health.health === 'blocked')
}

type BlockableEndpoint = Pick<Endpoint, 'id' | 'projectId' | 'health'>

export function healthWrites(
  connection: Connection,
  effects: Effects,
): Pick<Transaction, 'updateEndpointHealth'> {
  return {
    async updateEndpointHealth(endpointId, health) {
      const [before] = await lockEndpoints(connection, [endpointId])
      if (before === undefined) return
      await updateHealth(connection, [[endpointId, health]])
      noteBlocking(effects, before, health)
    },
  }
}

/**
 * Endpoints in a transaction that records results: their health is locked from when it is first read.
 * Those of all results are read in one statement and written in another, for a batch may hold results
 * of a thousand endpoints.
 */
export function holdEndpoints(
  connection: Connection,
  effects: Effects,
  inner: Transaction,
  isInOrder: boolean,
): { transaction: Transaction; flush(): Promise<void> } {
  const held = new Map<string, Endpoint>()
  const changed = new Map<string, Health>()

  async function hold(endpointIds: readonly string[]): Promise<void> {
    const missing = endpointIds.filter((id) => !held.has(id))
    if (missing.length === 0) return
    for (const endpoint of await lockEndpoints(connection, missing)) held.set(endpoint.id, endpoint)
  }

  async function flush(): Promise<void> {
    const written = [...changed]
    changed.clear()
    if (written.length > 0) await updateHealth(connection, written)
  }

  const transaction: Transaction = {
    ...inner,
    async recordAttempts(results) {
      const recorded = await inner.recordAttempts(results)
      await hold(endpointIdsOf(results, recorded.fencedDeliveryIds))
      return recorded
    },
    async getEndpointById(endpointId) {
      await hold([endpointId])
      return held.get(endpointId) ?? null
    },
    async updateEndpointHealth(endpointId, health) {
      await hold([endpointId])
      const before = held.get(endpointId)
      if (before === undefined) return
      if (!isInOrder && isBlocking(before, health)) throw new MustBeInOrder('It blocks.')
      noteBlocking(effects, before, health)
      held.set(endpointId, { ...before, ...healthOf(health) })
      changed.set(endpointId, health)
    },
    async updateEndpoint(endpoint) {
      await flush()
      held.delete(endpoint.id)
      await inner.updateEndpoint(endpoint)
    },
    async acceptEvents(events) {
      // Whether an endpoint receives depends on its health.
      await flush()
      return inner.acceptEvents(events)
    },
  }
  return { transaction, flush }
}

function endpointIdsOf(results: readonly AttemptResult[], fencedDeliveryIds: readonly string[]) {
  const fenced = new Set(fencedDeliveryIds)
  const recorded = results.filter(({ deliveryId }) => !fenced.has(deliveryId))
  return [...new Set(recorded.map(({ endpointId }) => endpointId))]
}

/** In one order, so that two nodes that lock the same endpoints wait for each other once. */
async function lockEndpoints(
  connection: Connection,
  endpointIds: readonly string[],
): Promise<Endpoint[]> {
  const rows = await connection.all<EndpointRow>(
    `select ${endpointColumns} from ${endpointTables}
     where e.id = any(?::text[])
     order by e.id
     for no key update of h`,
    endpointIds,
  )
  return rows.map(toEndpoint)
}

/** The members of health alone, for what is given may hold more. */
function healthOf(given: Health): Health {
  return {
    health: given.health,
    consecutiveFailures: given.consecutiveFailures,
    lastSuccessAt: given.lastSuccessAt,
    lastFailureAt: given.lastFailureAt,
    failingSince: given.failingSince,
    rejectionsInARow: given.rejectionsInARow,
    rejectingSince: given.rejectingSince,
    lastRejectionAt: given.lastRejectionAt,
  }
}
