import type { Rotation } from '@countersign/sdk'
import { exactTime, spanText, useNow } from '../kit/time.tsx'

/** How long the old secret still signs, to the second. */
export function RotationCountdown({ rotation }: { rotation: Rotation }) {
  const now = useNow(1_000)
  const { what, at } = nextEnd(rotation)
  return (
    <div>
      <p className="quiet">{what}</p>
      {at !== null && (
        <>
          <p className="countdown" role="timer">
            {spanText(Date.parse(at) - now)}
          </p>
          <p className="quiet small">{exactTime(at)}</p>
        </>
      )}
    </div>
  )
}

function nextEnd(rotation: Rotation): { what: string; at: string | null } {
  const { status, previousSecretExpiresAt, capAt, windowEndsAt, activatesAt } = rotation
  if (status === 'cancelled') return { what: 'Cancelled: the old secret signs on.', at: null }
  if (status === 'completed') return { what: 'Over: only the new secret signs.', at: null }
  if (status === 'staged') return { what: 'The new secret signs in', at: activatesAt }
  if (rotation.unclaimed) {
    return { what: 'Waits for the claim link to be used; given up in', at: capAt }
  }
  if (status === 'held') return { what: 'Held; the old secret stops at the latest in', at: capAt }
  if (rotation.completeWhen === 'verified') {
    const isEarly = windowEndsAt !== null && Date.parse(windowEndsAt) > Date.now()
    return isEarly
      ? { what: 'The old secret stops at proof. A warning comes in', at: windowEndsAt }
      : { what: 'The old secret stops at proof, and at the latest in', at: capAt }
  }
  return { what: 'The old secret stops in', at: previousSecretExpiresAt }
}
