import { AppError } from './errors.ts'
import { limits } from './limits.ts'
import { isRotationOpen, type Rotation, rotationState } from './rotation.ts'

/* What the verbs of a rotation answer where they do not apply. */

export function rotationInProgress(open: Rotation, now: number): AppError {
  const expiresAt = open.previousSecretExpiresAt
  const until = expiresAt === null ? null : new Date(expiresAt).toISOString()
  const { status } = rotationState(open, now)
  const forced =
    status === 'staged'
      ? 'close it, discard its staged secret and rotate now'
      : `close it and rotate now; the secret it retires keeps its expiry while it is among the newest ${limits.secretsActiveMax}, the oldest go first`
  return new AppError('rotation_in_progress', {
    detail: `Rotation ${open.id} is ${status}${until ? ` until ${until}` : ''}. With force: true this call would ${forced}.`,
    extra: { rotation_id: open.id, previous_secret_expires_at: until },
  })
}

export function rotationClosed(rotation: Rotation, now: number): AppError {
  const state = rotationState(rotation, now)
  return new AppError('rotation_closed', {
    detail: `Rotation ${rotation.id} is ${state.status}${state.completedBy ? ` (${state.completedBy})` : ''}.`,
    extra: { rotation_id: rotation.id },
  })
}

export function refuseClosed(rotation: Rotation, now: number): void {
  if (!isRotationOpen(rotation, now)) throw rotationClosed(rotation, now)
}

export function refuseStaged(rotation: Rotation, now: number): void {
  if (rotationState(rotation, now).status !== 'staged') return
  throw new AppError('rotation_not_active', {
    detail: `Rotation ${rotation.id} becomes active at ${new Date(rotation.activatesAt).toISOString()}; until then only cancel applies.`,
    extra: { rotation_id: rotation.id },
  })
}

/** Retiring the previous secret may cost deliveries: nothing shows that the receiver has the new one. */
export function receiverNotVerified(rotation: Rotation): AppError {
  return new AppError('receiver_not_verified', {
    detail: `Rotation ${rotation.id} waits for proof that the receiver takes the new secret, and there is none. With force: true the previous secret is retired all the same.`,
    extra: { rotation_id: rotation.id },
  })
}

/** Going back would cost deliveries: the receiver takes the new secret and not the one before. */
export function receiverUsesNew(rotation: Rotation): AppError {
  return new AppError('receiver_uses_new', {
    detail: `The receiver takes the new secret of rotation ${rotation.id}, and nothing shows that it still takes the one before. With force: true the new secret is revoked all the same.`,
    extra: { rotation_id: rotation.id },
  })
}
