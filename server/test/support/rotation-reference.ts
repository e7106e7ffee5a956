/* What rotation.md says, told a second time: small, in memory, and made of none of the server's code. */

const HOUR_MS = 3_600_000
const QUIET_MS = 15 * 60_000
/** How long a public key is published before it signs. */
const KEY_SET_LEAD_MS = 10 * 60_000
const DEFAULT_SECONDS = 86_400

export type Algorithm = 'hmac-sha256' | 'ed25519'

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
  algorithm: Algorithm
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
  /** Null while it waits for a claim. */
  windowEndsAt: number | null
  /** Seconds of overlap that begin with the claim; null where there is none to wait for. */
  unclaimedSeconds: number | null
  capAt: number | null
  heldAt: number | null
  hasReportedNew: boolean
  reason: string | null
  hasSpike: boolean
  drill: KnownDrill | null
  /** The expiries of other secrets that it brought forward. */
  before: Map<KnownSecret, number | null>
  outcome: string | null
}

/** The caller's own secret: `shared` and `key` are new, of either shape; `first` the endpoint's first. */
export const ownSecrets = ['shared', 'key', 'first'] as const

export interface RotateWish {
  /** Null: not said. */
  seconds: number | null
  /** 0: at once, or when a public key may sign. */
  stagedMs: number
  isVerified: boolean
  force: boolean
  isClaimed: boolean
  algorithm: Algorithm | null
  own: (typeof ownSecrets)[number] | null
  /** Which secret is said to be the current one. */
  expected: 'current' | 'first' | null
  reason: string | null
}

/** A change of the open window: null where nothing is said of it. */
export interface WindowWish {
  seconds: number | null
  /** From now. */
  endsInMs: number | null
  completeWhen: 'expiry' | 'verified' | null
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
  const first: KnownSecret = {
    ...{ id: options.firstSecretId, algorithm: 'hmac-sha256', from: now() },
    ...{ until: null, isRevoked: false },
  }
  const secrets: KnownSecret[] = [first]
  let rotation: KnownRotation | null = null
  /** The newest rotation that went by claim link, and whether the link was used. */
  let link: { rotation: KnownRotation; isUsed: boolean } | null = null
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
  const capOf = (r: KnownRotation) =>
    r.capAt ?? Math.max(r.activatesAt + capMs, r.windowEndsAt ?? 0)
  const hold = (r: KnownRotation) => {
    r.capAt = capOf(r)
    r.heldAt = now()
    setEnd(r, r.capAt)
  }
  /** The window as it is now decides when the previous secret stops. */
  const settleEnd = (r: KnownRotation) => {
    const waits = r.isVerified || r.unclaimedSeconds !== null || r.heldAt !== null
    r.capAt = waits ? Math.max(capOf(r), r.windowEndsAt ?? 0) : null
    setEnd(r, r.capAt ?? r.windowEndsAt ?? now())
  }
  const release = (r: KnownRotation) => {
    r.heldAt = null
    settleEnd(r)
    setEnd(r, Math.max(r.previous.until ?? 0, now()))
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
      // Nobody can take a secret that nobody has claimed.
      if (r.windowEndsAt === null) return
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
    /** Ids and algorithms, newest first. */
    signing: () => signing().map(({ id, algorithm }) => `${id} ${algorithm}`),
    status: () => (rotation === null ? null : status(rotation)),
    previousSecretId: () => rotation?.previous.id ?? null,
    newSecretId: () => rotation?.next.id ?? null,
    currentSecretId: () => signing()[0]?.id,
    reason: () => rotation?.reason ?? null,
    /** Until when the previous secret signs, while a rotation is open. */
    endsAt: () => (rotation !== null && isOpen(rotation) ? rotation.previous.until : null),
    waitsForProof: () =>
      rotation?.isVerified === true && ['overlapping', 'held'].includes(status(rotation)),

    rotate(wish: RotateWish, newSecretId: string): string {
      const { seconds: asked, stagedMs, isVerified, isClaimed, force } = wish
      const active = signing()
      const [previous] = active
      if (previous === undefined) throw new Error('something always signs')
      const algorithm = wish.algorithm ?? previous.algorithm
      const seconds = asked ?? DEFAULT_SECONDS
      const isKey = algorithm === 'ed25519'
      const isEarly = stagedMs === 0 ? seconds === 0 : stagedMs < KEY_SET_LEAD_MS
      const isWrongShape = wish.own !== null && (wish.own === 'key') !== isKey
      const isBad =
        ((isVerified || isClaimed) && seconds === 0) ||
        (isKey && (isClaimed || (isEarly && !force))) ||
        isWrongShape
      if (isBad) return 'validation_failed'
      if (wish.expected === 'first' && previous !== first) return 'secret_changed'
      const open = rotation !== null && isOpen(rotation) ? rotation : null
      if (open !== null && !force) return 'rotation_in_progress'
      if (wish.own === 'first') return 'secret_reused'

      // A forced cut waits for nobody, also where receivers keep the public keys for a while.
      const leadMs = isKey && stagedMs === 0 && seconds > 0 ? KEY_SET_LEAD_MS : 0
      const activatesAt = now() + stagedMs + leadMs
      const next = { id: newSecretId, algorithm, from: activatesAt, until: null, isRevoked: false }
      if (open !== null) {
        open.outcome = 'completed force'
        revoke(secrets.filter((secret) => secret.from > now()))
      }
      const isCut = seconds === 0 && activatesAt === now()
      revoke(isCut ? secrets : active.slice(2))
      const windowEndsAt = isClaimed ? null : activatesAt + seconds * 1000
      const hasCap = isVerified || isClaimed
      const capAt = hasCap ? Math.max(activatesAt + capMs, windowEndsAt ?? 0) : null
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
        ...{ heldAt: null, hasSpike: false, hasReportedNew: false, drill: null, before },
        unclaimedSeconds: isClaimed ? seconds : null,
        reason: wish.reason,
        outcome: isCut ? 'completed cut' : null,
      }
      if (isClaimed) link = { rotation, isUsed: false }
      return 'ok'
    },
    /** By a link of the newest rotation that went by one; `isStale`: by one that was replaced. */
    claim(isStale: boolean): string {
      if (link === null) return 'none'
      if (isStale) return 'not_found'
      if (link.isUsed) return 'claim_used'
      const { rotation: claimed } = link
      if (!isOpen(claimed)) return 'rotation_closed'
      link.isUsed = true
      const startsAt = Math.max(claimed.activatesAt, now())
      claimed.windowEndsAt = startsAt + (claimed.unclaimedSeconds ?? 0) * 1000
      claimed.unclaimedSeconds = null
      settleEnd(claimed)
      return 'ok'
    },
    reissue(): string {
      if (rotation === null) return 'none'
      if (!isOpen(rotation)) return 'rotation_closed'
      if (link?.rotation !== rotation) return 'not_found'
      return link.isUsed ? 'claim_used' : 'ok'
    },
    dispute(): string {
      if (link === null) return 'none'
      return link.isUsed ? 'ok' : 'claim_not_used'
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
      if (!force && takesNewAlone(rotation)) return 'receiver_uses_new'
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
    window({ seconds, endsInMs, completeWhen }: WindowWish): string {
      if (rotation === null) return 'none'
      const isNothing = seconds === null && endsInMs === null && completeWhen === null
      if (isNothing || (seconds !== null && endsInMs !== null)) return 'validation_failed'
      if (!isOpen(rotation)) return 'rotation_closed'
      const isStaged = status(rotation) === 'staged'
      const startsAt = isStaged ? rotation.activatesAt : now()
      const isVerified = completeWhen === null ? rotation.isVerified : completeWhen === 'verified'
      const waits = isVerified || rotation.unclaimedSeconds !== null
      const endsAt = endsInMs === null ? null : now() + endsInMs
      if ((waits && seconds === 0) || (endsAt !== null && endsAt < startsAt)) {
        return 'validation_failed'
      }
      const isWindowSet = seconds !== null || endsAt !== null
      const isOver = rotation.windowEndsAt !== null && rotation.windowEndsAt <= now()
      const stopsUnasked = completeWhen === 'expiry' && rotation.unclaimedSeconds === null && isOver
      if (stopsUnasked && !isWindowSet && rotation.heldAt === null) return 'validation_failed'
      rotation.isVerified = isVerified
      if (isWindowSet) rotation.heldAt = null
      if (seconds !== null && rotation.unclaimedSeconds !== null)
        rotation.unclaimedSeconds = seconds
      else if (seconds !== null) rotation.windowEndsAt = startsAt + seconds * 1000
      else if (endsAt !== null && !waits) rotation.windowEndsAt = endsAt
      settleEnd(rotation)
      if (endsAt !== null && waits) {
        rotation.capAt = endsAt
        setEnd(rotation, endsAt)
      }
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
    /** The receiver took a delivery and said which of the two secrets it verified with. */
    report(which: 'new' | 'old') {
      if (rotation !== null && which === 'new') rotation.hasReportedNew = true
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
function takesNewAlone({ drill, hasReportedNew }: KnownRotation): boolean {
  if (drill === null) return hasReportedNew
  const { receiver, isWhole } = drill
  const takesOld = receiver === 'old' || receiver === 'both'
  if (receiver === 'anything' || (isWhole && takesOld)) return false
  return receiver === 'new' || receiver === 'both' || hasReportedNew
}
