import assert from 'node:assert/strict'
import { createHmac, createPublicKey, verify } from 'node:crypto'
import { after, before, beforeEach, describe, test } from 'node:test'
import { verifyWebhook } from '@countersign/sdk'
import { type Received, type Receiver, startReceiver } from './support/receiver.ts'
import { startTestApp, type TestApp } from './support/start-test-app.ts'
import { until } from './support/until.ts'
import { createWireClient, type WireClient } from './support/wire.ts'

/** What a rotation or the creation of an endpoint answers, as far as it matters here. */
interface Minted {
  id: string
  secret: string
  public_key: string
  key_set_url: string
  secret_id: string
  rotation: { id: string; status: string }
}

describe('Ed25519, end to end', () => {
  let server: TestApp
  let receiver: Receiver
  let project: string
  let call: WireClient

  before(async () => {
    server = await startTestApp()
    call = createWireClient({ url: () => server.app.url, key: () => server.rootKey })
  })
  beforeEach(async () => {
    await receiver?.close()
    receiver = await startReceiver()
    // Tests move the server's clock, and the receiver's stays.
    receiver.toleranceSeconds = 1e9
    project = (await server.client.projects.create({ name: 'ed25519' })).id
  })
  after(async () => {
    await receiver.close()
    await server.dispose()
  })

  const create = async (fields: object = {}): Promise<Minted> => {
    const body = { url: receiver.url, ...fields }
    return (await call<Minted>('POST', `/projects/${project}/endpoints`, { body })).body
  }
  const pathOf = ({ id }: Minted) => `/projects/${project}/endpoints/${id}`
  const rotate = async (endpoint: Minted, body: object): Promise<Minted> => {
    const path = `${pathOf(endpoint)}/secret/rotate`
    const answer = await call<Minted>('POST', path, { body })
    assert.equal(answer.status, 200, answer.text)
    return answer.body
  }
  const publish = async (): Promise<Received> => {
    const { id } = await server.client.events.publish(project, { type: 'a.b', data: { n: 1 } })
    const find = () => receiver.received.find((request) => request.id === id)
    await until('the event arrives', () => find() !== undefined)
    return find() as Received
  }

  test('signs what a receiver can verify with the public key alone', async () => {
    const endpoint = await create({ algorithm: 'ed25519' })
    const request = await publish()
    assert.ok(isSignedBy(request, endpoint))
    assert.match(String(request.headers['webhook-signature']), /^v1a,\S+$/)
    assert.equal(request.headers['webhook-secret-ids'], endpoint.secret_id)
    assert.ok(!isSignedBy({ ...request, body: `${request.body} ` }, endpoint))
    await server.restart()
    assert.ok(isSignedBy(await publish(), endpoint), 'also after a restart')
  })

  test('a receiver that follows the key set verifies without having been told of a key', async () => {
    const endpoint = await create({ algorithm: 'ed25519' })
    const keySet = `${server.app.url}${endpoint.key_set_url}`
    const { body, headers } = await publish()
    const now = new Date(server.clock.now())
    const event = await verifyWebhook(body, headers, keySet, { now })
    assert.deepEqual([event.type, event.matchedSecretId], ['a.b', endpoint.secret_id])
  })

  test('HMAC to Ed25519: one after the other, both in between, told in the attempt', async () => {
    const endpoint = await create()
    const rotated = await rotate(endpoint, { algorithm: 'ed25519', expire_current_in: 60 })
    assert.equal(rotated.rotation.status, 'staged')
    assertSigned(await publish(), [endpoint])
    server.clock.adjust(600_000)
    const request = await publish()
    assertSigned(request, [rotated, endpoint])
    const { data } = await server.client.deliveries.list(project, { event: request.id }).page()
    await until('the attempt is recorded', async () => {
      const { attempts } = await server.client.deliveries.get(project, String(data[0]?.id))
      const ids = [rotated.secret_id, endpoint.secret_id]
      return attempts[0] !== undefined && String(attempts[0].secretIds) === String(ids)
    })
    server.clock.adjust(60_000)
    assertSigned(await publish(), [rotated])
  })

  test('Ed25519 to HMAC, cancelled and done again', async () => {
    const endpoint = await create({ algorithm: 'ed25519' })
    const first = await rotate(endpoint, { algorithm: 'hmac-sha256', expire_current_in: 60 })
    assertSigned(await publish(), [first, endpoint])
    await call('POST', `${pathOf(endpoint)}/rotations/${first.rotation.id}/cancel`)
    assertSigned(await publish(), [endpoint])
    const second = await rotate(endpoint, { algorithm: 'hmac-sha256', expire_current_in: 60 })
    await call('POST', `${pathOf(endpoint)}/rotations/${second.rotation.id}/complete`)
    assertSigned(await publish(), [second])
  })

  test('a drill proves that a receiver takes the public key, and refuses a wrong signature', async () => {
    // An endpoint each, as few probes are allowed in a minute.
    const drill = async (secretsOf: (endpoint: Minted) => string[]) => {
      const endpoint = await create({ algorithm: 'ed25519' })
      receiver.secrets = secretsOf(endpoint)
      const answer = await call<{ verdict: string }>('POST', `${pathOf(endpoint)}/drill`)
      assert.equal(answer.status, 200, answer.text)
      return answer.body.verdict
    }
    const otherSecret = 'whsec_b2xkIHNlY3JldCBvZiB0d2VudHktZm91ciBieXRlcw=='
    assert.equal(await drill((endpoint) => [endpoint.public_key]), 'verified')
    assert.equal(await drill(() => [otherSecret]), 'failed')
    assert.equal(await drill(() => []), 'unverifying')
  })

  test('a change of algorithm can wait for proof that the receiver takes the new key', async () => {
    const endpoint = await create()
    const rotated = await rotate(endpoint, { algorithm: 'ed25519', complete_when: 'verified' })
    receiver.secrets = [endpoint.secret, rotated.public_key]
    server.clock.adjust(600_000)
    const path = `${pathOf(endpoint)}/rotations/${rotated.rotation.id}`
    await call('POST', `${path}/verify`)
    const { body } = await call<{ completed_by: string }>('GET', path)
    assert.equal(body.completed_by, 'verified')
    assertSigned(await publish(), [rotated])
  })

  test('Ed25519 to Ed25519; a forced cut signs with the new key from its answer on', async () => {
    const endpoint = await create({ algorithm: 'ed25519' })
    const rotated = await rotate(endpoint, { expire_current_in: 60 })
    assertSigned(await publish(), [endpoint])
    server.clock.adjust(600_000)
    assertSigned(await publish(), [rotated, endpoint])
    const cut = await rotate(endpoint, { expire_current_in: 0, force: true })
    assertSigned(await publish(), [cut])
  })
})

/** By these, newest first, and by nobody else. */
function assertSigned(request: Received, by: readonly Minted[]): void {
  const signature = String(request.headers['webhook-signature'])
  const versions = by.map((minted) => (minted.secret === undefined ? 'v1a' : 'v1'))
  const entries = signature.split(' ')
  assert.deepEqual(
    entries.map((entry) => entry.split(',')[0]),
    versions,
  )
  const ids = by.map((minted) => minted.secret_id)
  assert.equal(request.headers['webhook-secret-ids'], ids.join(','))
  for (const [position, minted] of by.entries()) {
    const headers = { ...request.headers, 'webhook-signature': entries[position] }
    assert.ok(isSignedBy({ ...request, headers }, minted), `signature ${position}`)
  }
}

/** Written with `node:crypto` alone. */
function isSignedBy({ headers, body }: Received, minted: Minted): boolean {
  const content = Buffer.from(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`)
  const [version, text = ''] = String(headers['webhook-signature']).split(',')
  if (minted.public_key === undefined) {
    const key = Buffer.from(minted.secret.slice('whsec_'.length), 'base64')
    return version === 'v1' && createHmac('sha256', key).update(content).digest('base64') === text
  }
  const x = Buffer.from(minted.public_key.slice('whpk_'.length), 'base64').toString('base64url')
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  return version === 'v1a' && verify(null, content, key, Buffer.from(text, 'base64'))
}
