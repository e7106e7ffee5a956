import assert from 'node:assert/strict'
import { createHmac, createPublicKey, verify } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import type { SecretBox } from '../src/core/secret-box.ts'
import { createEndpointDirectory } from '../src/dispatcher/endpoint-directory.ts'
import type { SenderEndpoint } from '../src/dispatcher/sender-messages.ts'
import { createSigning } from '../src/dispatcher/signing.ts'
import { standard } from '../src/formats/standard.ts'
import { createTestApi, type Reply, type TestApi } from './support/test-api.ts'

// fast-check prints the seed and the smallest failing case when a property fails.

const algorithms = ['hmac-sha256', 'ed25519'] as const
const body = Buffer.from('{"type":"a.b","data":{}}')
const keySetKeptMs = 300_000

/** What a receiver may hold of one secret. */
type Held = { secret: string } | { public_key: string }

/** One change: from and to which algorithm, how, and when requests are signed in between. */
const change = fc
  .record({
    from: fc.constantFrom(...algorithms),
    to: fc.constantFrom(...algorithms),
    expireCurrentIn: fc.constantFrom(undefined, 0, 1, 60, 3_600),
    /** From now, where it is given. */
    activateInMs: fc.constantFrom(undefined, 600_000, 1_000_000),
    /** After the call, beside the boundaries themselves. */
    afterMs: fc.array(fc.integer({ min: 0, max: 5_000_000 }), { maxLength: 8 }),
  })
  // For public keys a cut without a time has to be forced, and then promises nothing.
  .filter(
    ({ to, expireCurrentIn, activateInMs }) =>
      to !== 'ed25519' || expireCurrentIn !== 0 || activateInMs !== undefined,
  )

describe('while the algorithm changes', () => {
  let server: TestApi
  let secretBox: SecretBox
  before(async () => {
    server = await createTestApi({
      changeParts(parts) {
        secretBox = parts.secretBox
        return {}
      },
    })
  })
  after(() => server[Symbol.asyncDispose]())

  test('a receiver can verify every request with what it is supposed to know', async () => {
    await fc.assert(
      fc.asyncProperty(change, async (given) => {
        const { path, id, held: old } = await createEndpoint(given.from)
        const keySets = [{ at: server.clock.now(), keys: await readKeys(id) }]
        const { activateInMs, expireCurrentIn } = given
        const activateAt = activateInMs === undefined ? null : server.clock.now() + activateInMs
        const { body: rotated } = await rotate(path, {
          algorithm: given.to,
          ...(expireCurrentIn === undefined ? {} : { expire_current_in: expireCurrentIn }),
          ...(activateAt === null ? {} : { activate_at: new Date(activateAt).toISOString() }),
        })
        const activatesAt = Date.parse(rotated.rotation.activates_at)
        const endsAt = Date.parse(
          rotated.previous_secret_expires_at ?? rotated.rotation.activates_at,
        )

        const start = server.clock.now()
        const boundaries = [activatesAt - 1, activatesAt, endsAt - 1, endsAt].filter(
          (at) => at >= start,
        )
        const instants = [start, ...boundaries, ...given.afterMs.map((ms) => start + ms)]
        for (const now of instants.sort((a, b) => a - b)) {
          server.clock.advance(Math.max(0, now - server.clock.now()))
          keySets.push({ at: now, keys: await readKeys(id) })
          const signature = await signNow(id)
          const knows = (...held: Held[]) => held.some((each) => isSignedBy(signature, each))
          assert.ok(knows(old, rotated), 'whoever holds both can always verify')
          assert.equal(knows(old), now < endsAt, 'the old one signs up to the end of its window')
          assert.equal(
            knows(rotated),
            now >= activatesAt,
            'the new one signs from its activation on',
          )
          // A receiver that follows the key set may have any copy of the last five minutes, and
          // holds what it was told of an HMAC secret.
          const told = [old, rotated].filter((each) => 'secret' in each)
          for (const copy of keySets.filter(({ at }) => at >= now - keySetKeptMs)) {
            assert.ok(knows(...told, ...copy.keys), 'whoever follows the key set can verify')
          }
        }
      }),
      { numRuns: process.env.COUNTERSIGN_TEST_LONG ? 1_000 : 60 },
    )
  })

  test('both algorithms sign side by side, newest first, with ids in the same order', async () => {
    const { path, id, secretId } = await createEndpoint('hmac-sha256')
    const { body: rotated } = await rotate(path, { algorithm: 'ed25519' })
    assert.match(await signNow(id), /^v1,\S+$/)
    server.clock.advance(600_000)
    assert.match(await signNow(id), /^v1a,\S+ v1,\S+$/)
    assert.deepEqual(await secretIdsNow(id), [rotated.secret_id, secretId])
    server.clock.advance(86_400_000)
    assert.match(await signNow(id), /^v1a,\S+$/)
    await rotate(path, { algorithm: 'hmac-sha256' })
    assert.match(await signNow(id), /^v1,\S+ v1a,\S+$/)
  })

  async function createEndpoint(algorithm: string) {
    const project = await server.addProject()
    const { status, body: created } = await server.call('POST', `${project.path}/endpoints`, {
      body: { url: 'https://a.example/', algorithm },
    })
    assert.equal(status, 201)
    const path = `${project.path}/endpoints/${created.id}`
    return { path, id: created.id, secretId: created.secret_id, held: created as Held }
  }

  async function rotate(path: string, request: object): Promise<Reply> {
    const reply = await server.call('POST', `${path}/secret/rotate`, { body: request })
    assert.equal(reply.status, 200, reply.text)
    return reply
  }

  async function readKeys(id: string): Promise<Held[]> {
    const { status, body: set } = await server.call(
      'GET',
      `/.well-known/webhooks/${id}/keys.json`,
      {
        key: null,
      },
    )
    assert.ok(status === 200 || status === 404)
    return (set.keys ?? []).map(({ x }: { x: string }) => ({
      public_key: `whpk_${Buffer.from(x, 'base64url').toString('base64')}`,
    }))
  }

  /** As the dispatcher does it: the endpoint is read, its keys are opened, the set is asked for. */
  async function headersNow(id: string): Promise<Record<string, string>> {
    let told: SenderEndpoint | undefined
    const directory = createEndpointDirectory({
      storage: server.storage,
      clock: server.clock,
      secretBox,
      defaultRetryScheduleMs: [],
      post: (message) => {
        if (message.kind === 'endpoints') told = structuredClone(message).endpoints[0]
      },
      isBusy: () => false,
      isStopping: () => false,
      onError: assert.fail,
    })
    await directory.ensure([id])
    assert.ok(told)
    const now = server.clock.now()
    return standard.headers({
      eventId: 'evt_1',
      eventType: 'a.b',
      timestampSeconds: 1,
      attemptNumber: 1,
      body,
      keys: createSigning(told.secrets, new Set(), () => undefined).keysAt(now),
    })
  }

  const signNow = async (id: string) => String((await headersNow(id))['webhook-signature'])
  const secretIdsNow = async (id: string) =>
    String((await headersNow(id))['webhook-secret-ids']).split(',')
})

/** Written with `node:crypto` alone. */
function isSignedBy(signatureHeader: string, held: Held): boolean {
  const content = Buffer.concat([Buffer.from('evt_1.1.'), body])
  return signatureHeader.split(' ').some((entry) => {
    const [version, text = ''] = entry.split(',')
    if ('secret' in held) {
      const key = Buffer.from(held.secret.slice('whsec_'.length), 'base64')
      return version === 'v1' && createHmac('sha256', key).update(content).digest('base64') === text
    }
    const x = Buffer.from(held.public_key.slice('whpk_'.length), 'base64').toString('base64url')
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
    return version === 'v1a' && verify(null, content, key, Buffer.from(text, 'base64'))
  })
}
