import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { checkInvariants, readState } from './support/check-invariants.ts'
import { ok } from './support/hostile-receivers.ts'
import { startTestApp, type TestApp } from './support/start-test-app.ts'
import { until } from './support/until.ts'
import { createWireClient, type Problem, type Wire, type WireClient } from './support/wire.ts'

/** What an operator gets who sets nothing. */
const strict = { COUNTERSIGN_ALLOW_HTTP: '', COUNTERSIGN_ALLOWED_NETWORKS: '' }

/** Every host stands for an address that is not public, in every notation that URLs may hold. */
const privateHosts = {
  'loopback by name': [
    'localhost',
    'LOCALHOST',
    'localhost.',
    'a.localhost',
    'a.b.LocalHost.',
    'ⓛⓞⓒⓐⓛⓗⓞⓢⓣ',
    'loc%61lhost',
  ],
  'loopback in decimal, octal, hexadecimal, and short': [
    '127.0.0.1',
    '127.0.0.1.',
    '127.255.255.254',
    '2130706433',
    '017700000001',
    '0x7f000001',
    '0x7F.0x0.0x0.0x1',
    '0177.0.0.01',
    '0x7f.1',
    '127.1',
    '127.0.1',
    '127.0x1',
    '１２７．０．０．１',
    '127。0。0。1',
    '%31%32%37.0.0.1',
  ],
  'this network, and none': ['0.0.0.0', '0', '0x0', '0.1', '00000000000'],
  'private networks': [
    '10.0.0.1',
    '10.255.255.255',
    '167772161',
    '012.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '0xac100001',
    '192.168.0.1',
    '192.168.257',
    '3232235521',
  ],
  'link-local, and what clouds keep there': [
    '169.254.0.1',
    '169.254.169.254',
    '2852039166',
    '0xa9fea9fe',
    '0251.0376.0251.0376',
    '168.63.129.16',
    '100.100.100.200',
  ],
  'shared, reserved, documentation, benchmarking, multicast, broadcast': [
    '100.64.0.1',
    '100.127.255.255',
    '192.0.0.1',
    '192.0.2.1',
    '198.18.0.1',
    '198.19.255.255',
    '198.51.100.1',
    '203.0.113.1',
    '192.88.99.1',
    '224.0.0.1',
    '239.255.255.255',
    '240.0.0.1',
    '255.255.255.255',
    '4294967295',
  ],
  'IPv6 loopback, unspecified, local, multicast': [
    '[::1]',
    '[::]',
    '[0:0:0:0:0:0:0:1]',
    '[0000:0000:0000:0000:0000:0000:0000:0001]',
    '[fe80::1]',
    '[febf::1]',
    '[fec0::1]',
    '[fc00::1]',
    '[fd00:ec2::254]',
    '[ff02::1]',
  ],
  'IPv6 set apart': ['[100::1]', '[2001:db8::1]', '[2001::1]', '[2001:10::1]', '[3fff::1]'],
  'IPv4 inside IPv6': [
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[0:0:0:0:0:FFFF:10.0.0.1]',
    '[::ffff:169.254.169.254]',
    '[::127.0.0.1]',
    '[::7f00:1]',
    '[::ffff:0:127.0.0.1]',
    '[64:ff9b::127.0.0.1]',
    '[64:ff9b::a9fe:a9fe]',
    '[64:ff9b:1::127.0.0.1]',
    '[2002:7f00:1::]',
    '[2002:a00:1::1]',
    '[2001:0:7f00:1::]',
    // A public address inside a translation prefix still means: through somebody's gateway.
    '[::ffff:93.184.216.34]',
    '[64:ff9b::93.184.216.34]',
    '[2002:5db8:d822::1]',
  ],
}

const otherUrls = {
  'credentials in the URL': [
    'https://user:password@93.184.216.34/',
    'https://user@93.184.216.34/',
    'https://:password@93.184.216.34/',
    'https://93.184.216.34:443@127.0.0.1/',
    'https://%75ser@93.184.216.34/',
  ],
  'ports outside the list': [
    'https://93.184.216.34:444/',
    'https://93.184.216.34:22/',
    'https://93.184.216.34:0/',
    'https://93.184.216.34:8999/',
    'https://93.184.216.34:9011/',
    'https://93.184.216.34:65535/',
  ],
  'other schemes': [
    'http://93.184.216.34/',
    'HTTP://93.184.216.34/',
    'ftp://93.184.216.34/',
    'file:///etc/passwd',
    'gopher://93.184.216.34/',
    'ws://93.184.216.34/',
    'wss://93.184.216.34/',
    'javascript:alert(1)',
    'data:text/plain,x',
    'unix:/run/docker.sock',
    'blob:https://93.184.216.34/x',
  ],
  'no URL at all': [
    '',
    ' ',
    '/hook',
    '//93.184.216.34/hook',
    '93.184.216.34',
    'https://',
    'https:///',
    'https://[::1',
    'https://93.184.216.34:99999/',
    'https://exa mple.com/',
    'https://256.256.256.256/',
    'https://0x100000000/',
    'https://a..b:x/',
    `https://93.184.216.34/${'a'.repeat(2048)}`,
  ],
}

const goodUrl = 'https://93.184.216.34:8443/hook'

describe('hostile URLs, with a strict configuration', () => {
  let server: TestApp
  let call: WireClient
  let project: string
  let endpoint: Wire.CreatedEndpoint

  before(async () => {
    server = await startTestApp({
      environment: { ...strict, COUNTERSIGN_ALLOWED_PORTS: '443,8443,9000-9010' },
    })
    call = createWireClient({ url: () => server.app.url, key: () => server.rootKey })
    project = (await server.client.projects.create({ name: 'hostile' })).id
    const created = await call<Wire.CreatedEndpoint>('POST', `/projects/${project}/endpoints`, {
      body: { url: goodUrl },
    })
    assert.equal(created.status, 201, 'a good URL is taken, or refusing would show nothing')
    endpoint = created.body
  })
  after(() => server.dispose())

  const path = () => `/projects/${project}/endpoints`
  const refusedAtBothDoors = async (url: string) => {
    const stateBefore = await readState(server.store, project)
    for (const [method, where] of [
      ['POST', path()],
      ['PATCH', `${path()}/${endpoint.id}`],
    ] as const) {
      const { status, headers, body } = await call<Problem>(method, where, { body: { url } })
      const door = `${method} ${JSON.stringify(url.slice(0, 80))}`
      assert.equal(status, 422, door)
      assert.match(headers.get('content-type') ?? '', /^application\/problem\+json/, door)
      assert.equal(body.code, 'validation_failed', door)
      assert.equal(body.param, 'url', door)
      assert.deepEqual(
        body.errors?.map(({ param }) => param),
        ['url'],
        door,
      )
      assert.ok((body.errors?.[0]?.detail ?? '').length > 10, `${door} says what would be right`)
    }
    assert.deepEqual(await readState(server.store, project), stateBefore, 'nothing was stored')
  }

  for (const [name, hosts] of Object.entries(privateHosts)) {
    test(`refuses ${name}`, async () => {
      for (const host of hosts) await refusedAtBothDoors(`https://${host}/hook`)
      for (const host of hosts.slice(0, 2)) await refusedAtBothDoors(`https://${host}:8443/hook`)
    })
  }
  for (const [name, urls] of Object.entries(otherUrls)) {
    test(`refuses ${name}`, async () => {
      for (const url of urls) await refusedAtBothDoors(url)
    })
  }

  test('names the other fields at fault beside the URL', async () => {
    const { status, body } = await call<Problem>('POST', path(), {
      body: { url: 'https://127.1/', event_types: ['not a type'], typo: 1 },
    })
    assert.equal(status, 422)
    const params = body.errors?.map(({ param }) => param).sort()
    assert.deepEqual(params, ['event_types.0', 'typo', 'url'])
  })

  test('takes the ports of the list, and the ends of its ranges', async () => {
    for (const port of ['', ':443', ':8443', ':9000', ':9010']) {
      const { status } = await call('PATCH', `${path()}/${endpoint.id}`, {
        body: { url: `https://93.184.216.34${port}/hook` },
      })
      assert.equal(status, 200, `port ${port}`)
    }
  })
})

test('an endpoint of an opened network is refused at attempt time once the network is closed', async (t) => {
  const environment: Record<string, string> = {}
  const server = await startTestApp({ environment })
  await using receiver = await ok()
  await using narrowed = await ok()
  t.after(() => server.dispose())
  const project = (await server.client.projects.create({ name: 'closing' })).id
  const createEndpoint = (url: string) => server.client.endpoints.create(project, { url })
  const endpoint = await createEndpoint(receiver.url)
  const byName = await createEndpoint(`http://localhost:${receiver.port}/hook`)
  const publish = () => server.client.events.publish(project, { type: 'a.b', data: {} })
  const deliveriesOf = async (event: string, status: Wire.DeliveryStatus) =>
    (await server.client.deliveries.list(project, { event, status }).page()).data
  await publish()
  await until('both deliveries arrive', () => receiver.requests.length === 2)

  Object.assign(environment, strict, { COUNTERSIGN_ALLOW_HTTP: 'true' })
  await server.restart()
  const event = await publish()
  await until('both fail', async () => (await deliveriesOf(event.id, 'failed')).length === 2)
  for (const { id, failureReason, attemptCount } of await deliveriesOf(event.id, 'failed')) {
    assert.equal(failureReason, 'refused')
    assert.equal(attemptCount, 1, 'another try would change nothing')
    const { attempts } = await server.client.deliveries.get(project, id)
    assert.equal(attempts[0]?.error, 'refused_address')
    assert.equal(attempts[0]?.response, null)
    assert.deepEqual(attempts[0]?.secretIds, [], 'nothing was signed')
  }
  const tested = await server.client.endpoints.test(project, endpoint.id)
  assert.equal(tested.success, false)
  assert.equal(tested.error, 'refused_address')

  // The same with the network open and the port closed.
  Object.assign(environment, {
    COUNTERSIGN_ALLOWED_NETWORKS: '127.0.0.0/8',
    COUNTERSIGN_ALLOWED_PORTS: `${narrowed.port}`,
  })
  await server.restart()
  await server.client.endpoints.update(project, byName.id, { url: narrowed.url })
  const second = await publish()
  await until('the allowed one arrives', () => narrowed.requests.length === 1)
  await until('the other fails', async () => (await deliveriesOf(second.id, 'failed')).length === 1)
  const [refused] = await deliveriesOf(second.id, 'failed')
  assert.equal(refused?.endpointId, endpoint.id)
  assert.equal(refused?.failureReason, 'refused')
  assert.equal(refused?.lastError, 'refused_address')

  assert.equal(receiver.requests.length, 2, 'nothing reached it after the restart')
  await server.app.stop(5_000)
  await checkInvariants(server.store)
})
