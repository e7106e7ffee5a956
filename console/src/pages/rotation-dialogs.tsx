import { useState } from 'react'
import { Dialog } from '../kit/dialog.tsx'
import { Check, Choice, Field } from '../kit/field.tsx'
import { Notice } from '../kit/notice.tsx'
import { useToast } from '../kit/toast.tsx'
import { endpointName } from '../paths.ts'
import { useAct } from '../read.tsx'
import { overlaps } from './rotate-dialog.tsx'
import type { RotationActProps } from './rotation-acts.tsx'

type DialogProps = RotationActProps & { onClose: () => void }

/** Moves the end of the window. */
export function ExtendRotation({ project, endpoint, rotation, onClose }: DialogProps) {
  const say = useToast()
  const [seconds, setSeconds] = useState('86400')
  const { run, isBusy, problem } = useAct(async (client) => {
    const changes = { expireCurrentIn: Number(seconds) }
    await client.rotations.update(project, endpoint.id, rotation.id, changes)
    say('The window is moved.')
    onClose()
  })
  const base = rotation.status === 'staged' ? 'from activation' : 'from now'
  return (
    <Dialog
      title="Extend or shorten the window"
      verb="Move the end"
      {...{ isBusy, problem, onClose }}
      onSubmit={run}
    >
      <Choice
        label={`The old secret signs, counted ${base}, for`}
        value={seconds}
        onChange={setSeconds}
        options={[['300', '5 minutes'], ...overlaps]}
      />
      <Notice>Both secrets go on signing until then. Nothing that has expired is revived.</Notice>
    </Dialog>
  )
}

/** Lets proof, and not time, end the window. */
export function HoldRotation({ project, endpoint, rotation, onClose }: DialogProps) {
  const say = useToast()
  const { run, isBusy, problem } = useAct(async (client) => {
    const changes = { completeWhen: 'verified' } as const
    await client.rotations.update(project, endpoint.id, rotation.id, changes)
    say('The rotation waits for proof.')
    onClose()
  })
  return (
    <Dialog title="Hold until proved" verb="Hold" {...{ isBusy, problem, onClose }} onSubmit={run}>
      <p>
        The old secret then stops as soon as probes prove that the receiver takes the new one, and
        not before, up to the hard end of 30 days. Probes begin at once.
      </p>
    </Dialog>
  )
}

/** Ends the overlap by saying that the receiver is ready. */
export function RetireOldSecret({ project, endpoint, rotation, onClose }: DialogProps) {
  const say = useToast()
  const [reason, setReason] = useState('')
  const [force, setForce] = useState(false)
  const isProved = rotation.evidence?.verified === true
  const { run, isBusy, problem } = useAct(async (client) => {
    const input = { force, ...(reason === '' ? {} : { reason }) }
    await client.rotations.complete(project, endpoint.id, rotation.id, input)
    say('Completed: only the new secret signs.')
    onClose()
  })
  return (
    <Dialog
      title="Complete the rotation"
      verb="Complete"
      {...{ isBusy, problem, onClose }}
      onSubmit={run}
    >
      <Notice tone={isProved ? 'good' : 'warn'}>
        {isProved
          ? 'The receiver has proved that it takes the new secret. The old one stops at once.'
          : 'The old secret stops at once. There is no proof that the receiver takes the new one: if it does not, it refuses every delivery.'}
      </Notice>
      {rotation.completeWhen === 'verified' && !isProved && (
        <Check label="Complete without proof" isOn={force} onChange={setForce} />
      )}
      <Field label="Reason" value={reason} onChange={setReason} hint="For the audit log." />
    </Dialog>
  )
}

/** Rolls back. */
export function CancelRotation({ project, endpoint, rotation, onClose }: DialogProps) {
  const say = useToast()
  const [reason, setReason] = useState('')
  const [force, setForce] = useState(false)
  const { run, isBusy, problem } = useAct(async (client) => {
    const input = { force, ...(reason === '' ? {} : { reason }) }
    await client.rotations.cancel(project, endpoint.id, rotation.id, input)
    say('Cancelled: the old secret is current again.')
    onClose()
  })
  return (
    <Dialog
      title="Cancel the rotation"
      verb="Roll back"
      {...{ isBusy, problem, onClose }}
      onSubmit={run}
    >
      <p>
        The new secret is revoked, and the old one is current again without an end. A receiver that
        holds the new one alone would refuse deliveries.
      </p>
      <Check
        label="Also where evidence says that the receiver uses the new secret"
        isOn={force}
        onChange={setForce}
      />
      <Field label="Reason" value={reason} onChange={setReason} hint="For the audit log." />
    </Dialog>
  )
}

/** Stops every earlier secret now, whatever the receiver knows. */
export function CutRotation({ project, endpoint, onClose }: DialogProps) {
  const say = useToast()
  const [typed, setTyped] = useState('')
  const name = endpointName(endpoint)
  const { run, isBusy, problem } = useAct(async (client) => {
    await client.endpoints.revokePreviousSecret(project, endpoint.id, { reason: 'cut by hand' })
    say('Cut: only the new secret signs.')
    onClose()
  })
  return (
    <Dialog
      title="Cut the old secret now"
      verb="Cut now"
      isDangerous
      isReady={typed === name}
      {...{ isBusy, problem, onClose }}
      onSubmit={run}
    >
      <Notice tone="bad">
        From the next attempt on, only the new secret signs. This cannot be undone. A receiver that
        does not have the new secret refuses every delivery until it does; refused deliveries are
        tried again.
      </Notice>
      <Field label={`Type ${name} to cut`} value={typed} onChange={setTyped} />
    </Dialog>
  )
}
