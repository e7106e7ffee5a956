import { lookup as dnsLookup } from 'node:dns/promises'

export interface ResolvedAddress {
  address: string
  family: 4 | 6
}

/** Every address of a name, in the order of the system's resolver. Rejects with `NameLookupError`. */
export type NameResolver = (hostname: string) => Promise<readonly ResolvedAddress[]>

/** A name has no address now: it does not exist, its server does not answer, or too many names wait. */
export class NameLookupError extends Error {
  override readonly name = 'NameLookupError'
  /** What the resolver said, such as `ENOTFOUND` or `EAI_AGAIN`. */
  readonly code: string

  constructor(hostname: string, code: string) {
    super(`The name ${hostname} could not be resolved (${code}).`)
    this.code = code
  }
}

export const nameResolverLimits = {
  positiveTtlMs: 5_000,
  negativeTtlMs: 1_000,
  namesKeptMax: 4_096,
  lookupsMax: 8,
  /** A name whose last lookup took longer is suspect. */
  slowLookupMs: 1_000,
  suspectLookupsMax: 1,
  /** Names that wait for a lookup; more are refused at once. */
  namesWaitingMax: 10_000,
} as const

export type NameResolverLimits = { [name in keyof typeof nameResolverLimits]: number }

/**
 * Resolves through `getaddrinfo`, so `/etc/hosts` and the system's order of families hold.
 *
 * That call blocks one of very few threads until the system gives up, which for a dead name server
 * takes ten seconds and more. So lookups of one name are joined, running ones are bounded, and
 * names that were slow before get a lane of their own: they hold up each other, not the rest.
 */
export function createNameResolver({
  monotonicNow,
  lookup = lookupInSystem,
  limits = {},
}: {
  monotonicNow: () => number
  /** For tests. */
  lookup?: (hostname: string) => Promise<readonly ResolvedAddress[]>
  limits?: Partial<NameResolverLimits>
}): NameResolver {
  const bounds = { ...nameResolverLimits, ...limits }
  const kept = new Map<string, { outcome: Outcome; freshUntilMs: number; wasSlow: boolean }>()
  const running = new Map<string, Promise<Outcome>>()
  const ordinaryLane = createLane(bounds.lookupsMax)
  const suspectLane = createLane(bounds.suspectLookupsMax)

  const keep = (hostname: string, outcome: Outcome, wasSlow: boolean): void => {
    kept.delete(hostname)
    const oldest = kept.size >= bounds.namesKeptMax ? kept.keys().next().value : undefined
    if (oldest !== undefined) kept.delete(oldest)
    const ttlMs = outcome.ok ? bounds.positiveTtlMs : bounds.negativeTtlMs
    kept.set(hostname, { outcome, freshUntilMs: monotonicNow() + ttlMs, wasSlow })
  }

  const lookupOnce = async (hostname: string, isSuspect: boolean): Promise<Outcome> => {
    const lane = isSuspect ? suspectLane : ordinaryLane
    await lane.enter()
    const startedAtMs = monotonicNow()
    const outcome = await settle(hostname, lookup)
    lane.leave()
    running.delete(hostname)
    keep(hostname, outcome, monotonicNow() - startedAtMs > bounds.slowLookupMs)
    return outcome
  }

  return async (hostname) => {
    const known = kept.get(hostname)
    if (known !== undefined && monotonicNow() < known.freshUntilMs) return unwrap(known.outcome)
    let pending = running.get(hostname)
    if (pending === undefined) {
      if (running.size >= bounds.namesWaitingMax) throw new NameLookupError(hostname, 'EBUSY')
      pending = lookupOnce(hostname, known?.wasSlow ?? false)
      running.set(hostname, pending)
    }
    return unwrap(await pending)
  }
}

type Outcome =
  | { ok: true; addresses: readonly ResolvedAddress[] }
  | { ok: false; error: NameLookupError }

function unwrap(outcome: Outcome): readonly ResolvedAddress[] {
  if (outcome.ok) return outcome.addresses
  throw outcome.error
}

async function settle(
  hostname: string,
  lookup: (hostname: string) => Promise<readonly ResolvedAddress[]>,
): Promise<Outcome> {
  try {
    const addresses = await lookup(hostname)
    if (addresses.length > 0) return { ok: true, addresses }
    return { ok: false, error: new NameLookupError(hostname, 'ENODATA') }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'EUNKNOWN'
    return { ok: false, error: new NameLookupError(hostname, code) }
  }
}

async function lookupInSystem(hostname: string): Promise<ResolvedAddress[]> {
  const found = await dnsLookup(hostname, { all: true, order: 'verbatim' })
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }))
}

/** Lets `max` through at a time; the rest wait in order of arrival. */
function createLane(max: number): { enter: () => Promise<void>; leave: () => void } {
  const waiting: (() => void)[] = []
  let inside = 0
  return {
    enter() {
      if (inside < max) {
        inside++
        return Promise.resolve()
      }
      return new Promise((resolve) => waiting.push(resolve))
    },
    leave() {
      const next = waiting.shift()
      if (next === undefined) inside--
      else next()
    },
  }
}
