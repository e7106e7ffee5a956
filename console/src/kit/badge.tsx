import type { Delivery, Endpoint, Rotation, Secret } from '@countersign/sdk'

export type Tone = 'plain' | 'good' | 'warn' | 'bad' | 'accent'

/** A state in one word, never by colour alone. */
export function Badge({ tone = 'plain', children }: { tone?: Tone; children: string }) {
  return <span className={`badge ${tone}`}>{children}</span>
}

const deliveryTones = {
  pending: 'warn',
  delivered: 'good',
  failed: 'bad',
  skipped: 'plain',
} as const

export function DeliveryBadge({ status }: { status: Delivery['status'] }) {
  return <Badge tone={deliveryTones[status]}>{status}</Badge>
}

const healthTones = { healthy: 'good', failing: 'warn', blocked: 'bad' } as const

/** How an endpoint does; whether it is switched off comes first. */
export function EndpointBadge({ endpoint }: { endpoint: Pick<Endpoint, 'state' | 'health'> }) {
  if (endpoint.state === 'disabled') return <Badge>paused</Badge>
  return <Badge tone={healthTones[endpoint.health]}>{endpoint.health}</Badge>
}

const rotationTones = {
  staged: 'accent',
  overlapping: 'accent',
  held: 'bad',
  completed: 'good',
  cancelled: 'plain',
} as const

export function RotationBadge({ status }: { status: Rotation['status'] }) {
  return <Badge tone={rotationTones[status]}>{status}</Badge>
}

const secretTones = {
  staged: 'accent',
  current: 'good',
  retiring: 'warn',
  expired: 'plain',
  revoked: 'plain',
} as const

export function SecretBadge({ status }: { status: Secret['status'] }) {
  return <Badge tone={secretTones[status]}>{status}</Badge>
}
