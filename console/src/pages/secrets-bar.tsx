import type { Rotation, Secret } from '@countersign/sdk'
import { SecretBadge } from '../kit/badge.tsx'
import { exactTime, relativeTime, useNow } from '../kit/time.tsx'
import { shortId } from '../paths.ts'

/** Lanes shown at most: those that sign, and those that signed last. */
const lanesMax = 6

/** One lane for each secret: when it signs, with the present marked. */
export function SecretsBar(props: { secrets: readonly Secret[]; rotation?: Rotation }) {
  const now = useNow(1_000)
  const shown = props.secrets.slice(0, lanesMax)
  const whole = extent(shown, now)
  const { from, until } = props.rotation === undefined ? whole : around(props.rotation, whole)
  const place = (at: number) =>
    `${Math.min(100, Math.max(0, ((at - from) / (until - from)) * 100))}%`
  return (
    <div className="bar">
      {shown.map((secret) => (
        <Lane key={secret.id} secret={secret} now={now} until={until} place={place} />
      ))}
      <div className="scale" aria-hidden="true">
        <span>{relativeTime(from - now)}</span>
        <span>{relativeTime(until - now)}</span>
      </div>
    </div>
  )
}

function Lane(props: {
  secret: Secret
  now: number
  until: number
  place: (at: number) => string
}) {
  const { secret, now, place } = props
  const start = Date.parse(secret.activatesAt)
  const stop = stopOf(secret) ?? props.until
  const left = place(start)
  const edge = place(Math.min(Math.max(now, start), stop))
  const end = stopOf(secret)
  const text = `Signs from ${exactTime(secret.activatesAt)} ${
    end === null ? 'without an end' : `until ${exactTime(new Date(end).toISOString())}`
  }`
  return (
    <div className={`lane ${secret.status}`}>
      <span className="who">
        <span className="mono" title={secret.id}>
          {shortId(secret.id)}
        </span>
        <SecretBadge status={secret.status} />
      </span>
      <div className="track" role="img" aria-label={text} title={text}>
        {start < now && <Stretch from={left} to={edge} isPast />}
        {stop > now && <Stretch from={edge} to={place(stop)} isPast={false} />}
        <div className="mark" style={{ left: place(now) }} />
      </div>
    </div>
  )
}

function Stretch({ from, to, isPast }: { from: string; to: string; isPast: boolean }) {
  const style = { left: from, right: `calc(100% - ${to})`, minWidth: '3px' }
  return <div className={`span${isPast ? '' : ' to-come'}`} style={style} />
}

function stopOf({ expiresAt, revokedAt }: Secret): number | null {
  const stops = [expiresAt, revokedAt].flatMap((at) => (at === null ? [] : [Date.parse(at)]))
  return stops.length === 0 ? null : Math.min(...stops)
}

/** The window of a rotation and a little before it: what came earlier is long and does not matter. */
function around(rotation: Rotation, whole: { from: number; until: number }) {
  const begun = Date.parse(rotation.createdAt)
  return { from: Math.max(whole.from, begun - (whole.until - begun) * 0.25), until: whole.until }
}

/** Around the moments at which something begins or ends, and the present. */
function extent(secrets: readonly Secret[], now: number): { from: number; until: number } {
  const changes = secrets.flatMap((secret) => {
    const stop = stopOf(secret)
    return [Date.parse(secret.activatesAt), ...(stop === null ? [] : [stop])]
  })
  const first = Math.min(now, ...changes)
  const last = Math.max(now, ...changes)
  const room = Math.max(60_000, (last - first) * 0.12)
  return { from: first - room * 0.3, until: last + room }
}
