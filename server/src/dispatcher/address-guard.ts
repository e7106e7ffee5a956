import assert from 'node:assert'
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { NameLookupError, type NameResolver, type ResolvedAddress } from './name-resolver.ts'

export interface PortRange {
  from: number
  to: number
}

export type UrlRefusal = 'malformed' | 'scheme' | 'credentials' | 'port' | 'address'

export type UrlCheck =
  | { ok: true; url: URL }
  /** `detail` tells a person what is wrong and what to do. */
  | { ok: false; reason: UrlRefusal; detail: string }

export type Resolution =
  | { ok: true; addresses: readonly ResolvedAddress[] }
  | { ok: false; reason: 'dns' | 'refused_address'; detail: string }

/** Where this server may connect to (delivery.md, "Sending safely"). */
export interface AddressGuard {
  /** What can be said of a URL without asking DNS. */
  checkUrl(text: string): UrlCheck
  /** Whether one address, in its canonical notation, may be connected to. */
  isAllowed(address: string): boolean
  /**
   * Every address of a URL's host, all of them allowed. One refused address refuses the name:
   * whoever answers for it chooses which address is tried. Connect to these addresses only, never
   * to the name again: the second answer may differ from the checked one. Never rejects.
   */
  resolve(hostname: string): Promise<Resolution>
}

export function createAddressGuard({
  allowHttp,
  allowedNetworks,
  allowedPorts,
  resolve,
}: {
  allowHttp: boolean
  /** CIDR ranges that are opened although they are not public. */
  allowedNetworks: readonly string[]
  /** Empty: every port. */
  allowedPorts: readonly PortRange[]
  resolve: NameResolver
}): AddressGuard {
  const opened = allowedNetworks.map(parseNetwork)
  const isOpened = (address: Address): boolean => opened.some((network) => isIn(address, network))

  const isAllowed = (text: string): boolean => {
    // isIP first: the library also reads octal, hexadecimal and short forms, and no answer of a
    // resolver looks like that.
    if (isIP(text) === 0) return false
    const address = ipaddr.parse(text)
    if (isPublic(address) || isOpened(address)) return true
    const embedded = embeddedIpv4(address)
    return embedded !== null && isOpened(embedded)
  }
  const isLoopbackOpened = isAllowed('127.0.0.1') || isAllowed('::1')

  return {
    isAllowed,
    checkUrl(text) {
      const url = URL.parse(text)
      if (url === null) return refuse('malformed')
      if (url.protocol === 'http:' && !allowHttp) return refuse('http')
      if (url.protocol !== 'https:' && url.protocol !== 'http:') return refuse('scheme')
      if (url.username !== '' || url.password !== '') return refuse('credentials')
      const port = portOf(url)
      if (port === 0 || !isPortAllowed(port, allowedPorts)) return refuse('port')
      const literal = literalOf(url.hostname)
      if (literal !== null ? !isAllowed(literal) : isLocal(url.hostname) && !isLoopbackOpened) {
        return refuse('address')
      }
      return { ok: true, url }
    },
    async resolve(hostname) {
      const literal = literalOf(hostname)
      if (literal !== null) {
        if (!isAllowed(literal)) return refusedAddress
        return { ok: true, addresses: [{ address: literal, family: isIP(literal) === 6 ? 6 : 4 }] }
      }
      try {
        const addresses = await resolve(hostname)
        return addresses.every(({ address }) => isAllowed(address))
          ? { ok: true, addresses }
          : refusedAddress
      } catch (error) {
        const code = error instanceof NameLookupError ? error.code : 'EUNKNOWN'
        const detail = `The name could not be resolved (${code}). Check that it has a public DNS record.`
        return { ok: false, reason: 'dns', detail }
      }
    },
  }
}

/** The port that a URL names or implies. */
export function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port)
  return url.protocol === 'https:' ? 443 : 80
}

type Address = ipaddr.IPv4 | ipaddr.IPv6
type Network = [Address, number]

function parseNetwork(cidr: string): Network {
  assert(ipaddr.isValidCIDR(cidr), `${cidr} is not a network such as 10.0.0.0/8 or fd00::/8`)
  return ipaddr.parseCIDR(cidr)
}

function isIn(address: Address, [base, bits]: Network): boolean {
  return address.kind() === base.kind() && address.match(base, bits)
}

/** Globally allocated, and not one of the ranges that are set apart. */
function isPublic(address: Address): boolean {
  if (address.range() !== 'unicast') return false
  if (address.kind() === 'ipv6' && !isIn(address, globalUnicast)) return false
  return !setApart.some((network) => isIn(address, network))
}

/**
 * The only IPv6 block that is given out (RFC 4291, IANA). Outside it lie loopback, link-local,
 * site-local, unique-local, multicast, NAT64, discard, segment routing and every embedded IPv4.
 */
const globalUnicast = parseNetwork('2000::/3')

/** What the library calls unicast, or called so in some version, but no customer's receiver is. */
const setApart: readonly Network[] = [
  // Azure's wire server hands out machine credentials on what looks like a public address.
  '168.63.129.16/32',
  '0.0.0.0/8',
  '100.64.0.0/10',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '240.0.0.0/4',
  // IETF protocol assignments (Teredo, ORCHID, benchmarking), documentation, 6to4, AS112.
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '2620:4f:8000::/48',
  '3fff::/20',
].map(parseNetwork)

const mapped = parseNetwork('::ffff:0:0/96')
const compatible = parseNetwork('::/96')
/** `::` and `::1` lie in the compatible range but are no IPv4 address. */
const unspecifiedAndLoopback = parseNetwork('::/127')

/** The IPv4 address inside a mapped or compatible one: a socket to it may reach that address. */
function embeddedIpv4(address: Address): ipaddr.IPv4 | null {
  const isEmbedding =
    isIn(address, mapped) || (isIn(address, compatible) && !isIn(address, unspecifiedAndLoopback))
  return isEmbedding ? new ipaddr.IPv4(address.toByteArray().slice(12)) : null
}

function isPortAllowed(port: number, allowedPorts: readonly PortRange[]): boolean {
  return (
    allowedPorts.length === 0 || allowedPorts.some(({ from, to }) => from <= port && port <= to)
  )
}

/** The address that a URL's host is, or null for a name. URL parsing has undone every odd notation. */
function literalOf(hostname: string): string | null {
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
  return isIP(bare) === 0 ? null : bare
}

/** Names that mean this machine wherever they are resolved (RFC 6761). */
function isLocal(hostname: string): boolean {
  const name = hostname.replace(/\.$/, '')
  return name === 'localhost' || name.endsWith('.localhost')
}

const notPublic =
  'is not public (it is loopback, private, link-local or otherwise set apart). Use a public address, or let the operator open its network with COUNTERSIGN_ALLOWED_NETWORKS.'

/** Does not name the address: to a customer it would map the operator's network. */
const refusedAddress: Resolution = {
  ok: false,
  reason: 'refused_address',
  detail: `An address of this host ${notPublic}`,
}

const sentences = {
  malformed: 'This is not an absolute URL. Write it as https://host/path.',
  http: 'Plain http is not allowed. Use an https URL, or let the operator set COUNTERSIGN_ALLOW_HTTP.',
  scheme: 'Only http and https can carry a delivery. Use an https URL.',
  credentials:
    'A URL may not carry a user name or password: it is shown in logs. Use a custom header.',
  port: 'This port is not allowed. Use another one, or let the operator add it to COUNTERSIGN_ALLOWED_PORTS.',
  address: `The address of this host ${notPublic}`,
} as const

function refuse(sentence: keyof typeof sentences): UrlCheck {
  return {
    ok: false,
    reason: sentence === 'http' ? 'scheme' : sentence,
    detail: sentences[sentence],
  }
}
