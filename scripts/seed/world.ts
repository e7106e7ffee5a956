import type { ActionContext } from '../../server/src/actions/action-context.ts'
import { createApiKey } from '../../server/src/actions/create-api-key.ts'
import { createEndpoint } from '../../server/src/actions/create-endpoint.ts'
import { createProject } from '../../server/src/actions/create-project.ts'
import { defineEventType } from '../../server/src/actions/define-event-type.ts'
import { publishEvents } from '../../server/src/actions/publish-events.ts'
import { revokeApiKey } from '../../server/src/actions/revoke-api-key.ts'
import { rotateApiKey } from '../../server/src/actions/rotate-api-key.ts'
import type { RotatedSecret } from '../../server/src/actions/rotate-secret.ts'
import type { Actor } from '../../server/src/core/authorization.ts'
import {
  type CustomerUid,
  characterOf,
  customers,
  eventTypes,
  otherFormats,
  type SystemUid,
  systems,
  troublesOf,
} from './cast.ts'
import type { SimulatedReceiver } from './simulated-receivers.ts'
import type { StoryServer } from './story-server.ts'

const DAY_MS = 86_400_000

/** The seeded projects and endpoints, and the receivers behind them. */
export interface World {
  now(): number
  asRoot(): ActionContext
  /** As the project's key for production. */
  asKey(project: string): ActionContext
  projectOf(customer: CustomerUid): string
  at(where: `${CustomerUid}/${SystemUid}`): {
    project: string
    endpoint: string
    receiver: SimulatedReceiver
  }
  /** A receiver that follows the key set knows each key at once. */
  learnPublicKey(where: string, rotated: Pick<RotatedSecret, 'algorithm' | 'secretValue'>): void
  /** Publishes one event; returns how many deliveries it has. */
  publish(customer: CustomerUid, number: number, pick: (most: number) => number): Promise<number>
}

interface Placed {
  project: string
  endpoint: string
  receiver: SimulatedReceiver
}

/** Sets up everything there is, each thing at its age: the clock ends `7` days before `endsAt`. */
export async function createWorld(
  server: StoryServer,
  receivers: Map<string, SimulatedReceiver>,
  endsAt: number,
): Promise<World> {
  const projects = new Map<CustomerUid, string>()
  const keys = new Map<string, Actor>()
  const places = new Map<string, Placed>()
  const world = createView(server, { projects, keys, places })
  for (const type of eventTypes) await defineType(server, type)
  for (const { uid, name } of customers) {
    const { id } = await createProject(server.as(), { uid, name, settings: settingsOf(uid) })
    projects.set(uid, id)
    keys.set(id, await makeKeys(server, id))
  }
  const oldestFirst = [...systems].sort((a, b) => b.daysOld - a.daysOld)
  for (const system of oldestFirst) {
    for (const [index, { uid }] of customers.entries()) {
      await server.moveTo(endsAt - (system.daysOld - index * 0.4) * DAY_MS)
      const receiver = receiverOf(uid, system.uid, endsAt)
      receivers.set(receiver.url, receiver)
      const project = world.projectOf(uid)
      const made = await createEndpoint(world.asKey(project), project, {
        url: receiver.url,
        uid: system.uid,
        description: system.what,
        eventTypes: [...system.eventTypes],
        ...otherFormats[`${uid}/${system.uid}`],
      })
      const where = `${uid}/${system.uid}` as const
      places.set(where, { project, endpoint: made.endpoint.id, receiver })
      receiver.secrets.push(made.secretValue)
    }
  }
  return world
}

function createView(
  server: StoryServer,
  parts: {
    projects: ReadonlyMap<CustomerUid, string>
    keys: ReadonlyMap<string, Actor>
    places: ReadonlyMap<string, Placed>
  },
): World {
  const totalWeight = eventTypes.reduce((sum, { weight }) => sum + weight, 0)
  const world: World = {
    now: server.clock.now,
    asRoot: () => server.as(),
    asKey: (project) => server.as(parts.keys.get(project)),
    projectOf(customer) {
      const id = parts.projects.get(customer)
      if (id === undefined) throw new Error(`There is no project ${customer}.`)
      return id
    },
    at(where) {
      const place = parts.places.get(where)
      if (place === undefined) throw new Error(`There is no endpoint ${where}.`)
      return place
    },
    learnPublicKey(where, { algorithm, secretValue }) {
      if (algorithm !== 'ed25519') return
      parts.places.get(where)?.receiver.secrets.push(secretValue)
    },
    async publish(customer, number, pick) {
      const project = world.projectOf(customer)
      const type = pickByWeight(eventTypes, ({ weight }) => weight, pick(totalWeight))
      const input = {
        type: type.name,
        metadata: { source: 'web' },
        data: JSON.stringify(type.data(number, pick)),
      }
      const [published] = await publishEvents(world.asKey(project), project, [input])
      if (published === undefined || 'error' in published) throw new Error('An event was refused.')
      return published.event.deliveryCount
    },
  }
  return world
}

/** The one at `place`, where each is as long as its weight. */
export function pickByWeight<T>(all: readonly T[], weightOf: (one: T) => number, place: number): T {
  let end = 0
  for (const one of all) {
    end += weightOf(one)
    if (place < end) return one
  }
  const last = all.at(-1)
  if (last === undefined) throw new Error('There is nothing to pick from.')
  return last
}

async function defineType(
  server: StoryServer,
  { name, description }: (typeof eventTypes)[number],
): Promise<void> {
  const schema =
    name === 'order.created'
      ? JSON.stringify({
          type: 'object',
          required: ['order_id', 'total'],
          properties: {
            order_id: { type: 'string' },
            currency: { type: 'string', examples: ['EUR'] },
            total: { type: 'integer', minimum: 0 },
          },
        })
      : null
  await defineEventType(server.as(), null, name, { description, schema })
}

/** The key for production publishes; beside it one that was rotated and one that was revoked. */
async function makeKeys(server: StoryServer, project: string): Promise<Actor> {
  const make = (name: string) =>
    createApiKey(server.as(), project, { name, expiresAt: null, scopes: undefined })
  const { apiKey } = await make('Production')
  const deployment = await make('Deployment')
  const former = await make('Former contractor')
  await rotateApiKey(server.as(), project, deployment.apiKey.id, { expireCurrentInSeconds: 3600 })
  await revokeApiKey(server.as(), project, former.apiKey.id)
  return { type: 'key', id: apiKey.id, name: apiKey.name }
}

function settingsOf(uid: CustomerUid) {
  if (uid === 'tidewater') {
    return { autoProbe: true, secretPolicy: { maxAgeDays: 90, action: 'notify' as const } }
  }
  return uid === 'juniper' ? { autoProbe: true } : {}
}

function receiverOf(customer: CustomerUid, system: SystemUid, endsAt: number): SimulatedReceiver {
  return {
    url: `https://${system}.${customer}.example/webhooks/countersign`,
    format: otherFormats[`${customer}/${system}`]?.format ?? 'standard',
    character: characterOf(customer, system),
    troubles: troublesOf(customer, system, endsAt),
    secrets: [],
  }
}
