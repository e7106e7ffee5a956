import type { Endpoint, Rotation } from '@countersign/sdk'
import { useState } from 'react'
import { Button } from '../kit/button.tsx'
import { Notice } from '../kit/notice.tsx'
import { useToast } from '../kit/toast.tsx'
import { useAct } from '../read.tsx'
import { useSession } from '../session.ts'
import {
  CancelRotation,
  CutRotation,
  ExtendRotation,
  HoldRotation,
  RetireOldSecret,
} from './rotation-dialogs.tsx'

export interface RotationActProps {
  project: string
  endpoint: Endpoint
  rotation: Rotation
}

/** Everything that can be done with an open rotation. */
export function RotationActs(props: RotationActProps) {
  const { rotation } = props
  const { may } = useSession()
  const [asks, setAsks] = useState<'extend' | 'hold' | 'complete' | 'cancel' | 'cut' | null>(null)
  const probe = useProbe(props)
  const isOpen = rotation.closedAt === null && rotation.status !== 'completed'
  if (!isOpen || rotation.status === 'cancelled' || !may('secrets.rotate')) return null
  const isStaged = rotation.status === 'staged'
  const dialog = { ...props, onClose: () => setAsks(null) }
  return (
    <>
      {!isStaged && (
        <Button kind="primary" onClick={probe.run} isBusy={probe.isBusy}>
          Probe the receiver
        </Button>
      )}
      {rotation.unclaimed && <ReissueLink {...props} />}
      <Button onClick={() => setAsks('extend')}>Extend</Button>
      {rotation.completeWhen === 'expiry' && (
        <Button onClick={() => setAsks('hold')}>Hold until proved</Button>
      )}
      {!isStaged && <Button onClick={() => setAsks('complete')}>Complete</Button>}
      <Button onClick={() => setAsks('cancel')}>Cancel</Button>
      {!isStaged && (
        <Button kind="danger" onClick={() => setAsks('cut')}>
          Cut now
        </Button>
      )}
      {probe.problem !== null && <Notice tone="bad">{probe.problem}</Notice>}
      {asks === 'extend' && <ExtendRotation {...dialog} />}
      {asks === 'hold' && <HoldRotation {...dialog} />}
      {asks === 'complete' && <RetireOldSecret {...dialog} />}
      {asks === 'cancel' && <CancelRotation {...dialog} />}
      {asks === 'cut' && <CutRotation {...dialog} />}
    </>
  )
}

function useProbe({ project, endpoint, rotation }: RotationActProps) {
  const say = useToast()
  return useAct(async (client) => {
    const { evidence } = await client.rotations.verify(project, endpoint.id, rotation.id)
    say(`Probed: ${evidence?.drill?.verdict ?? 'no verdict'}.`)
  })
}

function ReissueLink({ project, endpoint, rotation }: RotationActProps) {
  const { handovers } = useSession()
  const { run, isBusy, problem } = useAct(async (client) => {
    const { claimUrl } = await client.rotations.reissueClaimLink(project, endpoint.id, rotation.id)
    handovers.set(rotation.id, {
      kind: 'claim_link',
      value: claimUrl,
      label: rotation.newSecretId,
    })
  })
  return (
    <>
      <Button onClick={run} isBusy={isBusy}>
        New claim link
      </Button>
      {problem !== null && <Notice tone="bad">{problem}</Notice>}
    </>
  )
}
