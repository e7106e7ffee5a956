import type { Endpoint } from '@countersign/sdk'
import { useState } from 'react'
import { Dialog } from '../kit/dialog.tsx'
import { Check, Choice } from '../kit/field.tsx'
import { useToast } from '../kit/toast.tsx'
import { useAct } from '../read.tsx'

/** Sends again what did not arrive. */
export function RecoverDialog(props: { project: string; endpoint: Endpoint; onClose: () => void }) {
  const say = useToast()
  const [hours, setHours] = useState('24')
  const [withSkipped, setWithSkipped] = useState(true)
  const { run, isBusy, problem } = useAct(async (client) => {
    const { deliveryCount } = await client.endpoints.recover(props.project, props.endpoint.id, {
      since: new Date(Date.now() - Number(hours) * 3_600_000),
      statuses: withSkipped ? ['failed', 'skipped'] : ['failed'],
    })
    say(`${deliveryCount} deliveries are being sent again.`)
    props.onClose()
  })
  return (
    <Dialog
      title="Send lost events again"
      verb="Send again"
      isBusy={isBusy}
      problem={problem}
      onSubmit={run}
      onClose={props.onClose}
    >
      <p>
        Every delivery to this endpoint that failed is tried again with the full retry schedule, in
        small steps. Receivers that drop ids they have seen take nothing twice.
      </p>
      <Choice
        label="Lost in"
        value={hours}
        onChange={setHours}
        options={[
          ['1', 'the last hour'],
          ['24', 'the last 24 hours'],
          ['168', 'the last 7 days'],
          ['720', 'the last 30 days'],
        ]}
      />
      <Check
        label="Also those that were skipped while the endpoint was off"
        isOn={withSkipped}
        onChange={setWithSkipped}
      />
    </Dialog>
  )
}
