import { cancelRotation } from '../../server/src/actions/cancel-rotation.ts'
import { changeCampaign } from '../../server/src/actions/change-campaign.ts'
import { claimSecret, disputeClaim } from '../../server/src/actions/claim-secret.ts'
import { completeRotation } from '../../server/src/actions/complete-rotation.ts'
import { createCampaign } from '../../server/src/actions/create-campaign.ts'
import { recoverEndpoint } from '../../server/src/actions/recover-endpoint.ts'
import { type RotateSecretInput, rotateSecret } from '../../server/src/actions/rotate-secret.ts'
import { updateEndpoint } from '../../server/src/actions/update-endpoint.ts'
import { updateRotation } from '../../server/src/actions/update-rotation.ts'
import type { CustomerUid, SystemUid } from './cast.ts'
import type { World } from './world.ts'

/** Something that somebody does, so many hours before the end. */
export interface Act {
  hoursBefore: number
  run(world: World): Promise<void>
}

const HOUR_S = 3600
type Where = `${CustomerUid}/${SystemUid}`

/** The last week: rotations of every kind and in every state, and what goes with them. */
export function createStory(): Act[] {
  const notes = new Map<Where, string>()
  /** Rotates; the receiver learns the new secret after so many hours, if ever. */
  const rotate = (
    hoursBefore: number,
    where: Where,
    input: RotateSecretInput,
    { learnsAfterHours, dropsOld = false }: { learnsAfterHours?: number; dropsOld?: boolean } = {},
  ): Act[] => {
    let value = ''
    const begin: Act = {
      hoursBefore,
      async run(world) {
        const { project, endpoint } = world.at(where)
        const rotated = await rotateSecret(world.asKey(project), project, endpoint, input)
        notes.set(where, rotated.rotation.id)
        value = rotated.secretValue
        world.learnPublicKey(where, rotated)
      },
    }
    if (learnsAfterHours === undefined) return [begin]
    const learn: Act = {
      hoursBefore: hoursBefore - learnsAfterHours,
      async run(world) {
        const { receiver } = world.at(where)
        receiver.secrets = dropsOld ? [value] : [...receiver.secrets, value]
      },
    }
    return [begin, learn]
  }
  const withRotation = (
    hoursBefore: number,
    where: Where,
    act: (world: World, project: string, endpoint: string, rotation: string) => Promise<unknown>,
  ): Act => ({
    hoursBefore,
    async run(world) {
      const { project, endpoint } = world.at(where)
      await act(world, project, endpoint, notes.get(where) ?? '')
    },
  })

  return [
    ...routineRotations(rotate),
    ...rotationsWithProof(rotate),
    ...handOvers(rotate),
    withRotation(70, 'acme/warehouse', (world, project, endpoint, rotation) =>
      cancelRotation(world.asKey(project), project, endpoint, rotation, {
        reason: 'Deployment was rolled back',
      }),
    ),
    withRotation(27, 'meridian/orders', (world, project, endpoint, rotation) =>
      completeRotation(world.asKey(project), project, endpoint, rotation, {
        reason: 'Deployed everywhere',
      }),
    ),
    withRotation(2, 'paperplane/crm', (world, project, endpoint, rotation) =>
      updateRotation(world.asKey(project), project, endpoint, rotation, {
        expireCurrentInSeconds: 72 * HOUR_S,
      }),
    ),
    ...changesOfEndpoints(),
    ...campaigns(),
  ].sort((a, b) => b.hoursBefore - a.hoursBefore)
}

type Rotate = (
  hoursBefore: number,
  where: Where,
  input: RotateSecretInput,
  learning?: { learnsAfterHours?: number; dropsOld?: boolean },
) => Act[]

function routineRotations(rotate: Rotate): Act[] {
  const reason = 'Quarterly rotation'
  return [
    ...rotate(
      151,
      'northwind/orders',
      { expireCurrentInSeconds: 24 * HOUR_S, reason },
      { learnsAfterHours: 2 },
    ),
    ...rotate(
      120,
      'northwind/crm',
      { expireCurrentInSeconds: 48 * HOUR_S, reason },
      { learnsAfterHours: 5 },
    ),
    ...rotate(72, 'acme/warehouse', { expireCurrentInSeconds: 24 * HOUR_S, reason }),
    ...rotate(
      30,
      'meridian/orders',
      { expireCurrentInSeconds: 24 * HOUR_S, reason },
      { learnsAfterHours: 1 },
    ),
    ...rotate(
      6,
      'paperplane/crm',
      { expireCurrentInSeconds: 48 * HOUR_S, reason },
      { learnsAfterHours: 3 },
    ),
    ...rotate(
      3,
      'harbor/orders',
      { expireCurrentInSeconds: 24 * HOUR_S, reason },
      { learnsAfterHours: 1 },
    ),
    // The receiver refuses deliveries until it has the new one; they are tried again.
    ...rotate(
      44,
      'lumen/fraud',
      { expireCurrentInSeconds: 0, reason: 'The secret was found in a public log' },
      { learnsAfterHours: 0.4, dropsOld: true },
    ),
  ]
}

function rotationsWithProof(rotate: Rotate): Act[] {
  return [
    ...rotate(
      40,
      'lumen/billing',
      { completeWhen: 'verified', reason: 'Quarterly, proven' },
      { learnsAfterHours: 1.5 },
    ),
    ...rotate(
      90,
      'harbor/billing',
      { completeWhen: 'verified', reason: 'Quarterly, proven' },
      { learnsAfterHours: 9 },
    ),
    // Nobody has deployed it: the window has passed, and the old one goes on signing.
    ...rotate(20, 'harbor/erp', {
      completeWhen: 'verified',
      expireCurrentInSeconds: 12 * HOUR_S,
      reason: 'Quarterly, proven',
    }),
    ...rotate(26, 'tidewater/fraud', {
      expireCurrentInSeconds: 26.5 * HOUR_S,
      reason: 'Yearly audit',
    }),
    ...rotate(
      7,
      'juniper/crm',
      { expireCurrentInSeconds: 24 * HOUR_S, reason: 'New operator' },
      { learnsAfterHours: 0.2 },
    ),
    ...rotate(18, 'acme/analytics', { completeWhen: 'verified', reason: 'Quarterly, proven' }),
    ...rotate(4, 'tidewater/billing', { reason: 'Quarterly rotation' }),
    ...rotate(
      11,
      'northwind/billing',
      {
        algorithm: 'ed25519',
        expireCurrentInSeconds: 7 * 24 * HOUR_S,
        reason: 'No shared secret any more',
      },
      {},
    ),
  ]
}

function handOvers(rotate: Rotate): Act[] {
  let disputed = ''
  const where = 'meridian/analytics'
  return [
    ...rotate(3, 'meridian/billing', { deliver: 'claim_link', reason: 'New operator' }),
    {
      hoursBefore: 33,
      async run(world) {
        const { project, endpoint } = world.at(where)
        const input = { deliver: 'claim_link', reason: 'New operator' } as const
        const { claimUrl } = await rotateSecret(world.asKey(project), project, endpoint, input)
        disputed = new URL(claimUrl ?? '').hash.slice(1)
      },
    },
    {
      hoursBefore: 31,
      async run(world) {
        await claimSecret(world.asRoot(), disputed)
      },
    },
    {
      hoursBefore: 29,
      async run(world) {
        await disputeClaim(world.asRoot(), disputed)
      },
    },
    {
      hoursBefore: 1,
      async run(world) {
        const { project, endpoint } = world.at('juniper/orders')
        const activateAt = world.now() + 9 * HOUR_S * 1000
        const input = { activateAt, reason: 'Goes live with the release of tomorrow' }
        await rotateSecret(world.asKey(project), project, endpoint, input)
      },
    },
  ]
}

function changesOfEndpoints(): Act[] {
  const set = (
    hoursBefore: number,
    where: Where,
    state: 'active' | 'disabled',
    description?: string,
  ): Act => ({
    hoursBefore,
    async run(world) {
      const { project, endpoint } = world.at(where)
      const change = description === undefined ? { state } : { state, description }
      await updateEndpoint(world.asKey(project), project, endpoint, change)
    },
  })
  return [
    set(52, 'paperplane/staging', 'disabled', 'Off until the new sandbox is there'),
    set(110, 'acme/staging', 'disabled'),
    set(60, 'acme/mobile-push', 'disabled', 'Paused for the move to the new data centre'),
    set(36, 'acme/mobile-push', 'active'),
    {
      hoursBefore: 35.9,
      async run(world) {
        const { project, endpoint } = world.at('acme/mobile-push')
        const since = world.now() - 26 * HOUR_S * 1000
        await recoverEndpoint(world.asKey(project), project, endpoint, { since })
      },
    },
  ]
}

function campaigns(): Act[] {
  const rotation = {
    deliver: 'claim_link',
    activateAt: null,
    expireCurrentInSeconds: 48 * HOUR_S,
    completeWhen: 'expiry',
    reason: 'Secrets of half a year',
  } as const
  let paused = ''
  const begin = (
    hoursBefore: number,
    perMinute: number,
    olderThanDays: number,
    customers: CustomerUid[],
    then: (id: string) => void = () => {},
  ): Act => ({
    hoursBefore,
    async run(world) {
      const { campaign } = await createCampaign(world.asRoot(), {
        filter: { olderThanDays, projectIds: customers.map(world.projectOf) },
        rotation,
        perMinute,
      })
      then(campaign.id)
    },
  })
  return [
    begin(16, 2, 190, ['northwind', 'harbor', 'lumen', 'paperplane']),
    begin(0.5, 1, 130, ['tidewater', 'acme', 'juniper'], (id) => {
      paused = id
    }),
    {
      hoursBefore: 0.4,
      async run(world) {
        await changeCampaign(world.asRoot(), paused, 'pause')
      },
    },
    begin(0.1, 1, 60, ['paperplane', 'meridian']),
  ]
}
