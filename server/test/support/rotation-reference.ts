/* What rotation.md says, told a second time: small, in memory, and made of none of the server's code. */

const HOUR_MS = 3_600_000
const QUIET_MS = 15 * 60_000

/** Which requests a receiver takes: those by the new secret, by the old one, any, or none. */
export const receiverKinds = ['old', 'both', 'new', 'anything', 'errors'] as const
export type ReceiverKind = (typeof receiverKinds)[number]

/** What a receiver answers to a probe that is signed by these. */
export function answerOf(kind: ReceiverKind, signedBy: readonly ('new' | 'old' | 'wrong')[]) {
  if (kind === 'errors') return 500
  if (kind === 'anything') return 200
  const isTaken = signedBy.some((key) => key === kind || (kind === 'both' && key !== 'wrong'))
  return isTaken ? 204 : 401
}

interface KnownSecret {
  id: string
  from: number
  until: number | null
  isRevoked: boolean
}

interface KnownDrill {
  at: number
  receiver: ReceiverKind
  /** Whether it asked for the old secret too. */
  isWhole: boolean
}

interface KnownRotation {
  previous: KnownSecret
  next: KnownSecret
  createdAt: number
  activatesAt: number
  isVerified: boolean
  windowEndsAt: number
  capAt: number | null
  heldAt: number | null
  hasSpike: boolean
  drill: KnownDrill | null
  /** The expiries of other secrets that it brought forward. */
  before: Map<KnownSecret, number | null>
  outcome: string | null
}

export interface RotateWish {
  seconds: number
  /** 0: at once. */
  stagedMs: number
  isVerified: boolean
  force: boolean
}

export type RotationReference = ReturnType<typeof createRotationReference>

/** One endpoint. Verbs answer the code of their refusal, or `ok`. */
export function createRotationReference(options: {
  firstSecretId: string
  now: () => number
  capMs: number
  /** The server may probe without being asked. */
  autoProbe: boolean
}) {
  const { now, capMs } = options
  const secrets: KnownSecret[] = [
    { id: options.firstSecretId, from: now(), until: null, isRevoked: false },
  ]
  let rotation: KnownRotation | null = null
  let lastRefusedAt = 0

  const isLive = ({ isRevoked, until }: KnownSecret) =>
    !isRevoked && (until === null || until > now())
  const signing = () => secrets.filter((secret) => isLive(secret) && secret.from <= now())
  const status = (r: KnownRotation): string => {
    const { until } = r.previous
    if (r.outcome !== null) return r.outcome
    if (until !== null && until <= now()) {
      const isCut = r.activatesAt > r.createdAt && until === r.activatesAt
      return isCut ? 'completed cut' : until === r.capAt ? 'completed cap' : 'completed expiry'
    }
    if (r.activatesAt > now()) return 'staged'
    return r.heldAt === null ? 'overlapping' : 'held'
  }
  const isOpen = (r: KnownRotation) => ['staged', 'overlapping', 'held'].includes(status(r))
  const revoke = (some: readonly KnownSecret[]) => {
    for (const secret of some) secret.isRevoked = true
  }
  const close = (r: KnownRotation, outcome: string) => {
    r.outcome = outcome
    if (outcome !== 'cancelled') revoke(signing().slice(1))
  }
  const setEnd = (r: KnownRotation, end: number) => {
    r.previous.until = end
  }
  const capOf = (r: KnownRotation) => r.capAt ?? Math.max(r.activatesAt + capMs, r.windowEndsAt)
  const hold = (r: KnownRotation) => {
    r.capAt = capOf(r)
    r.heldAt = now()
    setEnd(r, r.capAt)
  }
  const release = (r: KnownRotation) => {
    r.heldAt = null
    if (r.isVerified) r.capAt = Math.max(capOf(r), r.windowEndsAt)
    else r.capAt = null
    setEnd(r, r.capAt ?? Math.max(r.windowEndsAt, now()))
  }

  /** What follows from a drill, or from a look without one. */
  const judge = (r: KnownRotation, drill: KnownDrill | null, isLook: boolean) => {
    const isSpike = r.hasSpike
    if (isLook) r.hasSpike = false
    r.drill = drill ?? r.drill
    if (!isOpen(r)) return
    const was = status(r)
    if (was !== 'staged' && r.isVerified && isProof(r.drill)) return close(r, 'completed verified')
    if (was === 'overlapping') {
      const isLong = r.windowEndsAt - r.activatesAt >= 2 * HOUR_MS
      const isLate =
        (isLong && now() >= r.windowEndsAt - HOUR_MS) || (r.isVerified && now() >= r.windowEndsAt)
      const isUnexplained = isSpike && (drill === null || !takesNew(drill))
      if (isUnexplained || (isLate && drill?.receiver === 'old')) hold(r)
    } else if (was === 'held' && r.drill !== null && takesNew(r.drill)) {
      const quietSince = Math.max(r.heldAt ?? 0, lastRefusedAt)
      if (r.drill.at >= lastRefusedAt && now() >= quietSince + QUIET_MS) release(r)
    }
  }

  return {
    signing: () => signing().map(({ id }) => id),
    status: () => (rotation === null ? null : status(rotation)),
    previousSecretId: () => rotation?.previous.id ?? null,
    newSecretId: () => rotation?.next.id ?? null,
    /** Until when the previous secret signs, while a rotation is open. */
    endsAt: () => (rotation !== null && isOpen(rotation) ? rotation.previous.until : null),
    waitsForProof: () =>
      rotation?.isVerified === true && ['overlapping', 'held'].includes(status(rotation)),

    rotate({ seconds, stagedMs, isVerified, force }: RotateWish, newSecretId: string): string {
      if (isVerified && seconds === 0) return 'validation_failed'
      const open = rotation !== null && isOpen(rotation) ? rotation : null
      if (open !== null && !force) return 'rotation_in_progress'
      const active = signing()
      const [previous] = active
      if (previous === undefined) throw new Error('something always signs')
      const activatesAt = now() + stagedMs
      const next = { id: newSecretId, from: activatesAt, until: null, isRevoked: false }
      if (open !== null) {
        open.outcome = 'completed force'
        revoke(secrets.filter((secret) => secret.from > now()))
      }
      const isCut = seconds === 0 && stagedMs === 0
      revoke(isCut ? secrets : active.slice(2))
      const windowEndsAt = activatesAt + seconds * 1000
      const capAt = isVerified ? Math.max(activatesAt + capMs, windowEndsAt) : null
      const before = new Map<KnownSecret, number | null>()
      const other = active[1]
      if (seconds === 0 && other !== undefined && (other.until ?? Infinity) > activatesAt) {
        before.set(other, other.until)
        other.until = activatesAt
      }
      if (!isCut) previous.until = capAt ?? windowEndsAt
      secrets.unshift(next)
      rotation = {
        ...{ previous, next, createdAt: now(), activatesAt, isVerified, windowEndsAt, capAt },
        ...{ heldAt: null, hasSpike: false, drill: null, before },
        outcome: isCut ? 'completed cut' : null,
      }
      return 'ok'
    },
    complete(force: boolean): string {
      if (rotation === null) return 'none'
      const is = status(rotation)
      if (is.startsWith('completed')) return 'ok'
      if (is === 'cancelled') return 'rotation_closed'
      if (is === 'staged') return 'rotation_not_active'
      if (rotation.isVerified && !isProof(rotation.drill) && !force) return 'receiver_not_verified'
      close(rotation, 'completed manual')
      return 'ok'
    },
    cancel(force: boolean): string {
      if (rotation === null) return 'none'
      const is = status(rotation)
      if (is.startsWith('completed')) return 'rotation_closed'
      if (is === 'cancelled') return 'ok'
      if (!force && takesNewAlone(rotation.drill)) return 'receiver_uses_new'
      for (const [secret, until] of rotation.before) if (isLive(secret)) secret.until = until
      revoke([rotation.next])
      rotation.previous.until = null
      close(rotation, 'cancelled')
      return 'ok'
    },
    revokePrevious(): string {
      if (rotation === null || !isOpen(rotation)) revoke(signing().slice(1))
      else if (status(rotation) === 'staged') return 'rotation_not_active'
      else close(rotation, 'completed manual')
      return 'ok'
    },
    window(seconds: number): string {
      if (rotation === null) return 'none'
      if (!isOpen(rotation)) return 'rotation_closed'
      if (rotation.isVerified && seconds === 0) return 'validation_failed'
      const startsAt = status(rotation) === 'staged' ? rotation.activatesAt : now()
      rotation.windowEndsAt = startsAt + seconds * 1000
      release(rotation)
      return 'ok'
    },
    verify(receiver: ReceiverKind): string {
      if (rotation === null) return 'none'
      if (!isOpen(rotation)) return 'rotation_closed'
      judge(rotation, { at: now(), receiver, isWhole: true }, false)
      return 'ok'
    },
    /** The server looked by itself; null: without probes. */
    look(receiver: ReceiverKind | null) {
      if (rotation === null || !isOpen(rotation)) return
      const drill = receiver && { at: now(), receiver, isWhole: rotation.hasSpike }
      judge(rotation, drill, true)
    },
    /** A receiver that used to take deliveries refuses three in a row. */
    refuseDeliveries() {
      lastRefusedAt = now()
      if (rotation === null || status(rotation) !== 'overlapping') return
      rotation.hasSpike = true
      if (!rotation.isVerified && !options.autoProbe) judge(rotation, null, true)
    },
  }
}

function isProof(drill: KnownDrill | null): boolean {
  return drill?.receiver === 'both' || drill?.receiver === 'new'
}

function takesNew({ receiver }: KnownDrill): boolean {
  return receiver === 'both' || receiver === 'new' || receiver === 'anything'
}

/** A drill that did not ask for the old secret does not show that it is still taken. */
function takesNewAlone(drill: KnownDrill | null): boolean {
  if (drill === null) return false
  return drill.receiver === 'new' || (drill.receiver === 'both' && !drill.isWhole)
}
