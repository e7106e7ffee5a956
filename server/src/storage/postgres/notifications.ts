import pg from 'pg'
import { createSingleRun } from '../../core/single-run.ts'
import type { CommittedChanges } from '../storage.ts'
import { noChanges } from './effects.ts'
import { translateError } from './errors.ts'
import { clientConfig, endSoon } from './pool.ts'

const channel = 'countersign'
/** The server takes just under 8000 bytes. */
const payloadBytesMax = 7_500
/** What waits to be told while the store cannot be reached; beyond that, polling finds it. */
const waitingMax = 1_000
const reconnectMinMs = 100
const reconnectMaxMs = 5_000

/**
 * What nodes tell each other of, after their commits: hints that spare a node a wait. Nothing depends
 * on their arriving: what must not be overlooked is found by looking, and answers wait until caches
 * have run out.
 */
export interface Notifications {
  /** When it listens, or the first try has failed. */
  readonly begun: Promise<void>
  tell(changes: CommittedChanges, dueEndpointIds: ReadonlySet<string>): void
  close(): Promise<void>
}

/** A notification. Each key is left out where it says nothing. */
interface Message {
  endpoints?: string[]
  projects?: string[]
  keys?: string[]
  sessions?: string[]
  eventTypes?: string[]
  /** Endpoints for which something was left due. */
  due?: string[]
  appointments?: true
}

type ListKey = Exclude<keyof Message, 'appointments'>

export function createNotifications(options: {
  url: string
  /** What another node tells; `dueEndpointIds` have something due. */
  onTold: (changes: CommittedChanges, dueEndpointIds: readonly string[]) => void
  onError: (message: string, error: unknown) => void
}): Notifications {
  let client: pg.Client | null = null
  let isClosed = false
  let reconnectMs = reconnectMinMs
  let timer: NodeJS.Timeout | undefined
  let waiting: Message[] = []
  // One at a time, so that what comes in the meantime goes together.
  const sending = createSingleRun(sendAll)
  const begun = connect()
  let connecting = begun

  async function connect(): Promise<void> {
    const next = new pg.Client({ ...clientConfig(options.url), statement_timeout: 0 })
    next.on('error', () => lose(next))
    next.on('end', () => lose(next))
    next.on('notification', ({ processId, payload }) => {
      // The server tells the sender as well.
      if (processId !== processIdOf(next)) hear(payload ?? '')
    })
    try {
      await next.connect()
      await next.query(`listen ${channel}`)
      client = next
      reconnectMs = reconnectMinMs
      sending.start()
    } catch (error) {
      options.onError('The store cannot be listened to; trying again.', translateError(error))
      lose(next)
    }
  }

  function lose(lost: pg.Client): void {
    if (client === lost) client = null
    lost.removeAllListeners()
    // What a connection that is gone has to say concerns nobody.
    lost.on('error', () => {})
    void lost.end().catch(() => {})
    if (isClosed) return
    clearTimeout(timer)
    timer = setTimeout(() => {
      connecting = connect()
    }, reconnectMs)
    reconnectMs = Math.min(reconnectMs * 2, reconnectMaxMs)
  }

  function hear(payload: string): void {
    try {
      const message = JSON.parse(payload) as Message
      options.onTold(toChanges(message), message.due ?? [])
    } catch (error) {
      options.onError('A notification could not be read.', error)
    }
  }

  async function sendAll(): Promise<void> {
    while (waiting.length > 0 && client !== null) {
      const payloads = toPayloads(waiting)
      const sender = client
      waiting = []
      try {
        await sender.query(`select pg_notify('${channel}', p) from unnest($1::text[]) as p`, [
          payloads,
        ])
      } catch {
        lose(sender)
      }
    }
  }

  return {
    begun,

    tell(changes, dueEndpointIds) {
      const message = toMessage(changes, dueEndpointIds)
      if (message === null || waiting.length === waitingMax) return
      waiting.push(message)
      sending.start()
    },

    async close() {
      isClosed = true
      clearTimeout(timer)
      await connecting
      await sending.settled()
      if (client !== null) await endSoon(client.end())
    },
  }
}

/** The driver's types leave it out. */
function processIdOf(client: pg.Client): number | undefined {
  return (client as unknown as { processID?: number }).processID
}

function toMessage(changes: CommittedChanges, due: ReadonlySet<string>): Message | null {
  const message: Message = {}
  const add = (key: ListKey, ids: ReadonlySet<string>) => {
    if (ids.size > 0) message[key] = [...ids]
  }
  add('endpoints', changes.endpointIds)
  add('projects', changes.projectIds)
  add('keys', changes.apiKeyIds)
  add('sessions', changes.portalSessionIds)
  add('eventTypes', changes.eventTypeProjectIds)
  add('due', due)
  if (changes.hasAppointments) message.appointments = true
  return Object.keys(message).length === 0 ? null : message
}

/** As few as hold everything, each small enough. What was told several times is told once. */
function toPayloads(messages: readonly Message[]): string[] {
  const sets = new Map<ListKey, Set<string>>()
  for (const message of messages) {
    for (const [key, value] of Object.entries(message)) {
      if (!Array.isArray(value)) continue
      const set = sets.get(key as ListKey) ?? new Set()
      for (const id of value) set.add(id)
      sets.set(key as ListKey, set)
    }
  }
  const payloads: string[] = []
  let message: Message = messages.some(({ appointments }) => appointments)
    ? { appointments: true }
    : {}
  let bytes = 100
  for (const [key, ids] of sets) {
    for (const id of ids) {
      if (bytes + id.length + 20 > payloadBytesMax) {
        payloads.push(JSON.stringify(message))
        message = {}
        bytes = 100
      }
      message[key] ??= []
      message[key].push(id)
      bytes += id.length + 3
    }
  }
  payloads.push(JSON.stringify(message))
  return payloads
}

function toChanges(message: Message): CommittedChanges {
  return {
    ...noChanges(),
    endpointIds: new Set(message.endpoints),
    projectIds: new Set(message.projects),
    apiKeyIds: new Set(message.keys),
    portalSessionIds: new Set(message.sessions),
    eventTypeProjectIds: new Set(message.eventTypes),
    hasAppointments: message.appointments ?? false,
    hasDueDeliveries: message.due !== undefined,
  }
}
