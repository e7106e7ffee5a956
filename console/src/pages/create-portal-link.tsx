import type { CreatePortalSession } from '@countersign/sdk'
import { useState } from 'react'
import { Dialog } from '../kit/dialog.tsx'
import { Choice, Field } from '../kit/field.tsx'
import { useAct } from '../read.tsx'
import { portalLink, useSession } from '../session.ts'
import { ScopeChecks } from './create-api-key.tsx'

type PortalScope = CreatePortalSession['scopes'][number]

const scopes: readonly PortalScope[] = [
  ...(['webhooks.read', 'webhooks.write', 'secrets.rotate'] as const),
  ...(['deliveries.read', 'deliveries.write'] as const),
]

/** Makes a link that lets a customer's engineer into this project for a while. */
export function CreatePortalLink(props: {
  project: string
  onClose: (owner: string | null) => void
}) {
  const { project } = props
  const { handovers } = useSession()
  const [actor, setActor] = useState('')
  const [seconds, setSeconds] = useState('3600')
  const [chosen, setChosen] = useState<readonly PortalScope[]>(scopes)
  const { run, isBusy, problem } = useAct(async (client) => {
    const input = { actor, scopes: chosen, expiresIn: Number(seconds) }
    const { id, token, scopes: granted } = await client.portalSessions.create(project, input)
    const value = portalLink(project, token, granted)
    handovers.set(id, { kind: 'portal_link', value, label: actor })
    props.onClose(id)
  })
  return (
    <Dialog
      title="Let a customer’s engineer in"
      verb="Make the link"
      isReady={actor.trim() !== '' && chosen.length > 0}
      {...{ isBusy, problem }}
      onSubmit={run}
      onClose={() => props.onClose(null)}
    >
      <Field label="Who" value={actor} onChange={setActor} hint="Stands in the audit log." />
      <Choice
        label="For"
        value={seconds}
        onChange={setSeconds}
        options={[
          ['900', '15 minutes'],
          ['3600', '1 hour'],
          ['28800', '8 hours'],
          ['86400', '24 hours'],
        ]}
      />
      <ScopeChecks all={scopes} chosen={chosen} onChange={setChosen} />
    </Dialog>
  )
}
