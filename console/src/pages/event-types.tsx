import type { EventType } from '@countersign/sdk'
import { useState } from 'react'
import { Badge } from '../kit/badge.tsx'
import { Button } from '../kit/button.tsx'
import { Card, Code, Empty } from '../kit/card.tsx'
import { Dialog } from '../kit/dialog.tsx'
import { Check, Field } from '../kit/field.tsx'
import { PageFrame } from '../kit/page.tsx'
import { useToast } from '../kit/toast.tsx'
import { Loaded, useAct, useReadList } from '../read.tsx'
import { readJson } from '../read-json.ts'
import { useSession } from '../session.ts'
import { exampleOf } from './schema-example.ts'

/** What a project may publish, with the schema that its data must fit. */
export function EventTypesPage({ params }: { params: { project: string } }) {
  const { project } = params
  const { may } = useSession()
  const [edited, setEdited] = useState<EventType | 'new' | null>(null)
  const { query, pager } = useReadList(
    ['event types', project],
    (client, cursor, signal) => client.eventTypes.list(project, { limit: 50, cursor }, { signal }),
    10_000,
  )
  const define = may('webhooks.write') && (
    <Button kind="primary" onClick={() => setEdited('new')}>
      Define a type
    </Button>
  )
  return (
    <PageFrame
      title="Event types"
      actions={define}
      lead="Types need no definition. One that has a schema is checked when it is published."
    >
      <Loaded query={query}>
        {({ data }) =>
          data.length === 0 ? (
            <Card>
              <Empty title="No type is defined" action={define}>
                A definition tells your customers what to expect, and refuses data that does not
                fit.
              </Empty>
            </Card>
          ) : (
            data.map((type) => (
              <TypeCard key={type.name} type={type} onEdit={() => setEdited(type)} />
            ))
          )
        }
      </Loaded>
      {pager}
      {edited !== null && (
        <DefineType
          project={project}
          type={edited === 'new' ? null : edited}
          onClose={() => setEdited(null)}
        />
      )}
    </PageFrame>
  )
}

function TypeCard({ type, onEdit }: { type: EventType; onEdit: () => void }) {
  const { may } = useSession()
  const example = exampleOf(type.schema)
  return (
    <Card
      title={<span className="mono">{type.name}</span>}
      isPadded
      actions={
        <>
          {type.deprecated && <Badge tone="warn">deprecated</Badge>}
          <Badge>{type.definedIn === 'catalog' ? 'of the instance' : 'of this project'}</Badge>
          {may('webhooks.write') && (
            <Button isCompact label={`Edit ${type.name}`} onClick={onEdit}>
              Edit
            </Button>
          )}
        </>
      }
    >
      <div className="stack tight">
        <p className={type.description === null ? 'quiet' : undefined}>
          {type.description ?? 'No description.'}
        </p>
        {type.schema !== null && (
          <div className="columns even">
            <Code label={`Schema of ${type.name}`}>{JSON.stringify(type.schema, null, 2)}</Code>
            <Code label={`Example of ${type.name}`}>{JSON.stringify(example, null, 2)}</Code>
          </div>
        )}
      </div>
    </Card>
  )
}

function DefineType(props: { project: string; type: EventType | null; onClose: () => void }) {
  const { type, onClose } = props
  const say = useToast()
  const [name, setName] = useState(type?.name ?? '')
  const [description, setDescription] = useState(type?.description ?? '')
  const [schema, setSchema] = useState(
    type?.schema == null ? '' : JSON.stringify(type.schema, null, 2),
  )
  const [isDeprecated, setIsDeprecated] = useState(type?.deprecated ?? false)
  const { run, isBusy, problem } = useAct(async (client) => {
    await client.eventTypes.define(props.project, name, {
      description: description === '' ? null : description,
      schema: (readJson('The schema', schema) ?? null) as EventType['schema'],
      deprecated: isDeprecated,
    })
    say('Saved.')
    onClose()
  })
  return (
    <Dialog
      title={type === null ? 'Define an event type' : `Edit ${type.name}`}
      verb="Save"
      isReady={name.trim() !== ''}
      {...{ isBusy, problem, onClose }}
      onSubmit={run}
    >
      {type === null && (
        <Field label="Name" value={name} onChange={setName} placeholder="order.paid" />
      )}
      <Field label="Description" value={description} onChange={setDescription} />
      <Field
        label="JSON Schema of the data"
        value={schema}
        onChange={setSchema}
        lines={8}
        hint="Empty: any object."
      />
      <Check label="Deprecated" isOn={isDeprecated} onChange={setIsDeprecated} />
    </Dialog>
  )
}
