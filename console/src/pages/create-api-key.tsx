import type { Scope } from '@countersign/sdk'
import { useState } from 'react'
import { Dialog } from '../kit/dialog.tsx'
import { Check, Field } from '../kit/field.tsx'
import { useAct } from '../read.tsx'
import { useSession } from '../session.ts'

const scopes: readonly Scope[] = [
  ...(['events.write', 'events.read', 'webhooks.read', 'webhooks.write'] as const),
  ...(['secrets.rotate', 'deliveries.read', 'deliveries.write'] as const),
  ...(['keys.write', 'audit.read'] as const),
]

/** Makes a key; `onClose` is told where its value waits to be copied. */
export function CreateApiKey(props: { project: string; onClose: (owner: string | null) => void }) {
  const { handovers } = useSession()
  const [name, setName] = useState('')
  const [chosen, setChosen] = useState<readonly Scope[]>(
    scopes.filter((scope) => scope !== 'keys.write'),
  )
  const { run, isBusy, problem } = useAct(async (client) => {
    const created = await client.apiKeys.create(props.project, { name, scopes: chosen })
    handovers.set(created.id, { kind: 'api_key', value: created.key, label: name })
    props.onClose(created.id)
  })
  return (
    <Dialog
      title="New API key"
      verb="Create"
      isReady={name.trim() !== '' && chosen.length > 0}
      {...{ isBusy, problem }}
      onSubmit={run}
      onClose={() => props.onClose(null)}
    >
      <Field label="Name" value={name} onChange={setName} hint="What uses it, such as billing." />
      <ScopeChecks all={scopes} chosen={chosen} onChange={setChosen} />
    </Dialog>
  )
}

export function ScopeChecks<TScope extends string>(props: {
  all: readonly TScope[]
  chosen: readonly TScope[]
  onChange: (chosen: readonly TScope[]) => void
}) {
  return (
    <fieldset className="scopes">
      <legend>May</legend>
      {props.all.map((scope) => (
        <Check
          key={scope}
          label={<code>{scope}</code>}
          isOn={props.chosen.includes(scope)}
          onChange={(isOn) =>
            props.onChange(
              isOn ? [...props.chosen, scope] : props.chosen.filter((other) => other !== scope),
            )
          }
        />
      ))}
    </fieldset>
  )
}
