import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createAddressGuard, type PortRange, type UrlRefusal } from './address-guard.ts'
import { NameLookupError, type NameResolver } from './name-resolver.ts'

function guardWith({
  allowHttp = false,
  allowedNetworks = [],
  allowedPorts = [],
  resolve = async () => [],
}: {
  allowHttp?: boolean
  allowedNetworks?: string[]
  allowedPorts?: PortRange[]
  resolve?: NameResolver
} = {}) {
  return createAddressGuard({ allowHttp, allowedNetworks, allowedPorts, resolve })
}

/** Every way in which URL parsing accepts the address 127.0.0.1, and the names that mean it. */
const loopbackHosts = [
  '127.0.0.1',
  '127.0.0.1.',
  '127.1',
  '127.0.1',
  '2130706433',
  '0x7f000001',
  '0X7F.1',
  '017700000001',
  '0177.0.0.01',
  '0x7f.0x0.0x0.0x1',
  '0177.0.0x0.1',
  '%31%32%37.0.0.1',
  '①②⑦.⓪.⓪.①',
  '１２７。０。０。１',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[::ffff:127.0.0.1]',
  '[::FFFF:7f00:1]',
  '[0:0:0:0:0:ffff:7f00:1]',
  '[::127.0.0.1]',
  '[::ffff:0:127.0.0.1]',
  '[64:ff9b::127.0.0.1]',
  '[64:ff9b:1::7f00:1]',
  '[2002:7f00:1::]',
  'localhost',
  'LOCALHOST',
  'localhost.',
  'app.localhost',
  'app.localhost.',
]

test('refuses this machine in every notation that a URL allows', () => {
  const guard = guardWith({ allowHttp: true })
  for (const host of loopbackHosts) {
    for (const url of [`https://${host}/hook`, `http://${host}:8080/hook`]) {
      const check = guard.checkUrl(url)
      assert.ok(!check.ok, `${url} was allowed`)
      assert.equal(check.reason, 'address', url)
    }
  }
})

/** One or more addresses of every range that is not public. */
const refusedAddresses = [
  ...['0.0.0.0', '0.255.255.255', '10.0.0.0', '10.255.255.255', '100.64.0.0', '100.127.255.255'],
  ...['100.100.100.200', '127.0.0.0', '127.255.255.255', '168.63.129.16', '169.254.0.0'],
  ...['169.254.169.254', '169.254.255.255', '172.16.0.0', '172.31.255.255', '192.0.0.0'],
  ...['192.0.0.192', '192.0.0.255', '192.0.2.0', '192.0.2.255', '192.31.196.1', '192.52.193.1'],
  ...['192.88.99.1', '192.168.0.0', '192.168.255.255', '192.175.48.1', '198.18.0.0'],
  ...['198.19.255.255', '198.51.100.7', '203.0.113.7', '224.0.0.1', '239.255.255.255'],
  ...['240.0.0.0', '255.255.255.254', '255.255.255.255'],
  ...['::', '::1', '::8.8.8.8', '::ffff:8.8.8.8', '::ffff:10.0.0.1', '::ffff:0:8.8.8.8'],
  ...['64:ff9b::8.8.8.8', '64:ff9b:1::1', '100::1', '100:0:0:1::1', '200::1', '2001::1'],
  ...['2001:2::1', '2001:3::1', '2001:4:112::1', '2001:10::1', '2001:20::1', '2001:30::1'],
  ...['2001:1ff:ffff::1', '2001:db8::1', '2001:db8:ffff::1', '2002::1', '2002:808:808::1'],
  ...['2620:4f:8000::1', '3fff::1', '3fff:fff:ffff::1', '4000::1', '5f00::1', '8000::1'],
  ...['fc00::1', 'fd00:ec2::254', 'fdff:ffff::1', 'fe80::1', 'fe80::1%eth0', 'febf::1'],
  ...['fec0::1', 'feff::1', 'ff02::1', 'ff0e::1'],
]

const allowedAddresses = [
  ...['1.0.0.1', '8.8.8.8', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0'],
  ...['126.255.255.255', '128.0.0.0', '168.63.129.15', '168.63.129.17', '169.253.255.255'],
  ...['169.255.0.0', '172.15.255.255', '172.32.0.0', '191.255.255.255', '192.0.1.0'],
  ...['192.0.3.0', '192.167.255.255', '192.169.0.0', '198.17.255.255', '198.20.0.0'],
  ...['198.51.99.255', '198.51.101.0', '203.0.112.255', '203.0.114.0', '223.255.255.255'],
  ...['2001:200::1', '2001:db7:ffff::1', '2001:db9::1', '2003::1', '2606:4700::1111'],
  ...['2a00:1450:4001::1', '3ffe:ffff::1', '3fff:1000::1', '2620:4f:8001::1'],
]

test('refuses every range that is not public, up to its edges', () => {
  const guard = guardWith()
  for (const address of refusedAddresses) assert.equal(guard.isAllowed(address), false, address)
})

test('allows public addresses, right up to the edges of the refused ranges', () => {
  const guard = guardWith()
  for (const address of allowedAddresses) assert.equal(guard.isAllowed(address), true, address)
})

test('refuses what is not an address in canonical notation', () => {
  const guard = guardWith({ allowedNetworks: ['0.0.0.0/0', '::/0'] })
  for (const text of [
    '',
    'example.com',
    '8.8.8',
    '010.8.8.8',
    '0x08080808',
    '134744072',
    '[::1]',
  ]) {
    assert.equal(guard.isAllowed(text), false, text)
  }
})

const refusedV4Networks = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '168.63.129.16/32'],
  ...['169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24', '192.31.196.0/24'],
  ...['192.52.193.0/24', '192.88.99.0/24', '192.168.0.0/16', '192.175.48.0/24', '198.18.0.0/15'],
  ...['198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
].map((cidr) => {
  const [base = '', bits = ''] = cidr.split('/')
  const size = 2 ** (32 - Number(bits))
  const first = base.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0)
  return { first, last: first + size - 1 }
})

const octetsOf = (value: number): number[] => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255)
const hex = (value: number): string => value.toString(16)

/** The notations of one IPv4 address inside a URL, IPv6 ones included. */
function notationsOf(value: number): string[] {
  const [a, b, c, d] = octetsOf(value) as [number, number, number, number]
  const dotted = `${a}.${b}.${c}.${d}`
  const groups = `${hex(a * 256 + b)}:${hex(c * 256 + d)}`
  return [
    dotted,
    `${dotted}.`,
    String(value),
    `0x${hex(value)}`,
    `0${value.toString(8)}`,
    `0${a.toString(8)}.0${b.toString(8)}.0${c.toString(8)}.0${d.toString(8)}`,
    `0x${hex(a)}.0x${hex(b)}.0x${hex(c)}.0x${hex(d)}`,
    `${a}.0x${hex(b)}.${c * 256 + d}`,
    `0${a.toString(8)}.${b * 65_536 + c * 256 + d}`,
    [...dotted].map((char) => `%${hex(char.charCodeAt(0))}`).join(''),
    [...dotted].map((char) => String.fromCodePoint(char.charCodeAt(0) + 0xfee0)).join(''),
    `[::ffff:${dotted}]`,
    `[::FFFF:${groups.toUpperCase()}]`,
    `[0:0:0:0:0:ffff:${groups}]`,
    `[::${dotted}]`,
    `[64:ff9b::${groups}]`,
    `[2002:${groups}::1]`,
  ]
}

test('refuses every notation of every address in a refused range', () => {
  const guard = guardWith({ allowHttp: true })
  const refused = fc
    .constantFrom(...refusedV4Networks)
    .chain(({ first, last }) => fc.integer({ min: first, max: last }))
  fc.assert(
    fc.property(refused, (value) => {
      for (const host of notationsOf(value)) {
        const check = guard.checkUrl(`https://${host}/`)
        assert.ok(!check.ok && check.reason === 'address', host)
      }
    }),
    { numRuns: 500 },
  )
})

test('allows every dotted notation of an address outside the refused ranges', () => {
  const guard = guardWith()
  const allowed = fc
    .integer({ min: 0, max: 2 ** 32 - 1 })
    .filter(
      (value) => !refusedV4Networks.some(({ first, last }) => first <= value && value <= last),
    )
  fc.assert(
    fc.property(allowed, (value) => {
      const hosts = notationsOf(value)
      for (const host of hosts.filter((notation) => !notation.startsWith('['))) {
        assert.ok(guard.checkUrl(`https://${host}/`).ok, host)
      }
      for (const host of hosts.filter((notation) => notation.startsWith('['))) {
        assert.ok(!guard.checkUrl(`https://${host}/`).ok, `${host} hides an IPv4 address`)
      }
      assert.equal(guard.isAllowed(octetsOf(value).join('.')), true)
    }),
    { numRuns: 500 },
  )
})

test('refuses every notation of an IPv6 address outside 2000::/3', () => {
  const guard = guardWith()
  const groups = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 })
  fc.assert(
    fc.property(groups, (parts) => {
      const isGlobal = parts[0]! >= 0x2000 && parts[0]! <= 0x3fff
      fc.pre(!isGlobal)
      const long = parts.map((part) => hex(part).padStart(4, '0')).join(':')
      for (const text of [long, long.toUpperCase(), parts.map(hex).join(':')]) {
        assert.ok(!guard.checkUrl(`https://[${text}]/`).ok, text)
        assert.equal(guard.isAllowed(text), false, text)
      }
    }),
    { numRuns: 500 },
  )
})

test('names the reason and says what to do', () => {
  const guard = guardWith({ allowedPorts: [{ from: 443, to: 443 }] })
  const table: [string, UrlRefusal, RegExp][] = [
    ['hook', 'malformed', /https:\/\//],
    ['https://', 'malformed', /https:\/\//],
    ['https://1.2.3.4.5/', 'malformed', /https:\/\//],
    ['http://example.com/', 'scheme', /COUNTERSIGN_ALLOW_HTTP/],
    ['ftp://example.com/', 'scheme', /https/],
    ['file:///etc/passwd', 'scheme', /https/],
    ['javascript:alert(1)', 'scheme', /https/],
    ['https://user@example.com/', 'credentials', /header/],
    ['https://user:secret@example.com/', 'credentials', /header/],
    ['https://:secret@example.com/', 'credentials', /header/],
    ['https://example.com:8443/', 'port', /COUNTERSIGN_ALLOWED_PORTS/],
    ['https://10.0.0.1/', 'address', /COUNTERSIGN_ALLOWED_NETWORKS/],
  ]
  for (const [url, reason, hint] of table) {
    const check = guard.checkUrl(url)
    assert.ok(!check.ok, url)
    assert.equal(check.reason, reason, url)
    assert.match(check.detail, hint)
    assert.doesNotMatch(check.detail, /secret|10\.0\.0\.1/)
  }
})

test('allows only the ports that were named, as the URL implies or says them', () => {
  const guard = guardWith({
    allowHttp: true,
    allowedPorts: [
      { from: 443, to: 443 },
      { from: 8000, to: 8100 },
    ],
  })
  for (const port of ['', ':443', ':8000', ':8050', ':8100']) {
    assert.ok(guard.checkUrl(`https://example.com${port}/`).ok, port)
  }
  for (const url of ['https://example.com:442', 'https://example.com:8101', 'http://example.com']) {
    const check = guard.checkUrl(url)
    assert.ok(!check.ok && check.reason === 'port', url)
  }
})

test('allows every port but 0 when none is named', () => {
  const guard = guardWith()
  for (const port of [1, 22, 80, 65_535]) {
    assert.ok(guard.checkUrl(`https://example.com:${port}/`).ok)
  }
  const check = guard.checkUrl('https://example.com:0/')
  assert.ok(!check.ok && check.reason === 'port')
})

test('opens the networks that were named, in mapped form too, and no others', () => {
  const guard = guardWith({ allowedNetworks: ['10.1.0.0/16', '127.0.0.0/8', 'fd00:1::/32'] })
  for (const address of [
    ...['10.1.0.0', '10.1.255.255', '127.0.0.1', 'fd00:1::5', '8.8.8.8'],
    ...['::ffff:10.1.2.3', '::ffff:7f00:1', '::127.0.0.1'],
  ]) {
    assert.equal(guard.isAllowed(address), true, address)
  }
  for (const address of [
    ...['10.0.255.255', '10.2.0.0', 'fd00:2::1', '169.254.169.254', '::1', '::ffff:10.2.0.1'],
    ...['::ffff:8.8.8.8', '64:ff9b::10.1.2.3', '2002:a01:203::1'],
  ]) {
    assert.equal(guard.isAllowed(address), false, address)
  }
  assert.ok(guard.checkUrl('https://localhost/').ok)
  assert.ok(guard.checkUrl('https://0x7f.1/').ok)
})

test('opening all of IPv4 opens neither the IPv6 loopback nor the unspecified address', () => {
  const guard = guardWith({ allowedNetworks: ['0.0.0.0/0'] })
  assert.equal(guard.isAllowed('::1'), false)
  assert.equal(guard.isAllowed('::'), false)
})

test('a mistyped network is refused when the guard is made', () => {
  for (const network of ['10.0.0.0', '10.0.0.0/33', 'ten/8', '']) {
    assert.throws(() => guardWith({ allowedNetworks: [network] }), /not a network/)
  }
})

test('a name with one refused address among public ones is refused as a whole', async () => {
  const answers: Record<string, string[]> = {
    'public.example': ['93.184.216.34', '2606:2800:220:1::1'],
    'mixed.example': ['93.184.216.34', '10.0.0.1'],
    'mixed6.example': ['93.184.216.34', '::1'],
    'last.example': [...Array(30).fill('93.184.216.34'), '169.254.169.254'],
  }
  const guard = guardWith({
    resolve: async (name) =>
      answers[name]!.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
  })
  const allowed = await guard.resolve('public.example')
  assert.ok(allowed.ok)
  assert.deepEqual(
    allowed.addresses.map(({ address }) => address),
    answers['public.example'],
  )
  for (const name of ['mixed.example', 'mixed6.example', 'last.example']) {
    const refused = await guard.resolve(name)
    assert.ok(!refused.ok && refused.reason === 'refused_address', name)
    assert.doesNotMatch(refused.detail, /10\.0\.0\.1|169\.254/, 'the network behind is not told')
  }
})

test('literal addresses are checked without asking the resolver', async () => {
  const guard = guardWith({ resolve: () => assert.fail('the resolver was asked') })
  assert.deepEqual(await guard.resolve('8.8.8.8'), {
    ok: true,
    addresses: [{ address: '8.8.8.8', family: 4 }],
  })
  assert.deepEqual(await guard.resolve('[2606:4700::1111]'), {
    ok: true,
    addresses: [{ address: '2606:4700::1111', family: 6 }],
  })
  const refused = await guard.resolve('[::ffff:7f00:1]')
  assert.ok(!refused.ok && refused.reason === 'refused_address')
})

test('a name that does not resolve is a value, whatever the resolver throws', async () => {
  for (const error of [new NameLookupError('a.example', 'ENOTFOUND'), new Error('a bug')]) {
    const guard = guardWith({ resolve: () => Promise.reject(error) })
    const resolution = await guard.resolve('a.example')
    assert.ok(!resolution.ok && resolution.reason === 'dns')
    assert.match(resolution.detail, /ENOTFOUND|EUNKNOWN/)
  }
})
