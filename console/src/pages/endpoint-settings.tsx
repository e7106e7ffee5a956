import type { Endpoint } from '@countersign/sdk'
import { useState } from 'react'
import { useLocation } from 'wouter'
import { Button } from '../kit/button.tsx'
import { Card, Code, Facts } from '../kit/card.tsx'
import { Dialog } from '../kit/dialog.tsx'
import { Check, Field } from '../kit/field.tsx'
import { When } from '../kit/time.tsx'
import { useToast } from '../kit/toast.tsx'
import { endpointName, paths } from '../paths.ts'
import { useAct } from '../read.tsx'
import { useSession } from '../session.ts'
import { EventTypesField, readTypes } from './create-endpoint.tsx'
import { ReplaceHeaders, readHeaders } from './custom-headers.tsx'

/** What an endpoint is set to. */
export function EndpointSettings({ project, endpoint }: { project: string; endpoint: Endpoint }) {
  const { may } = useSession()
  const [asks, setAsks] = useState<'edit' | 'delete' | null>(null)
  const close = () => setAsks(null)
  return (
    <Card
      title="Settings"
      isPadded
      actions={
        may('webhooks.write') && (
          <>
            <Button isCompact onClick={() => setAsks('edit')}>
              Edit
            </Button>
            <Button isCompact kind="danger" onClick={() => setAsks('delete')}>
              Delete
            </Button>
          </>
        )
      }
    >
      <Facts
        rows={[
          [
            'URL',
            <span key="url" className="mono">
              {endpoint.url}
            </span>,
          ],
          ['Description', endpoint.description ?? '–'],
          ['Uid', endpoint.uid ?? '–'],
          [
            'Event types',
            <span key="types" className="mono">
              {endpoint.eventTypes.join(', ')}
            </span>,
          ],
          ['Format', endpoint.format],
          ['Signature', endpoint.signingEnabled ? endpoint.algorithm : 'none: signing is off'],
          ['Custom headers', Object.keys(endpoint.headers).join(', ') || '–'],
          [
            'Send rate',
            endpoint.rateLimitPerSecond === null
              ? 'no limit'
              : `${endpoint.rateLimitPerSecond} a second`,
          ],
          [
            'Metadata',
            <Code key="metadata" label="Metadata">
              {JSON.stringify(endpoint.metadata, null, 2)}
            </Code>,
          ],
          ['Made', <When key="made" at={endpoint.createdAt} />],
        ]}
      />
      {asks === 'edit' && <EditEndpoint project={project} endpoint={endpoint} onClose={close} />}
      {asks === 'delete' && (
        <DeleteEndpoint project={project} endpoint={endpoint} onClose={close} />
      )}
    </Card>
  )
}

interface EndpointDialogProps {
  project: string
  endpoint: Endpoint
  onClose: () => void
}

function EditEndpoint({ project, endpoint, onClose }: EndpointDialogProps) {
  const say = useToast()
  const [url, setUrl] = useState(endpoint.url)
  const [description, setDescription] = useState(endpoint.description ?? '')
  const [types, setTypes] = useState(endpoint.eventTypes.join(', '))
  const [rate, setRate] = useState(String(endpoint.rateLimitPerSecond ?? ''))
  const [headers, setHeaders] = useState<string | null>(null)
  const [isSigned, setIsSigned] = useState(endpoint.signingEnabled)
  const { run, isBusy, problem } = useAct(async (client) => {
    await client.endpoints.update(project, endpoint.id, {
      url,
      description: description === '' ? null : description,
      eventTypes: readTypes(types),
      rateLimitPerSecond: rate === '' ? null : Number(rate),
      signingEnabled: isSigned,
      ...(headers === null ? {} : { headers: readHeaders(headers) }),
    })
    say('Saved.')
    onClose()
  })
  return (
    <Dialog
      title="Edit the endpoint"
      verb="Save"
      isBusy={isBusy}
      problem={problem}
      onSubmit={run}
      onClose={onClose}
    >
      <Field label="URL" value={url} onChange={setUrl} />
      <Field label="Description" value={description} onChange={setDescription} />
      <EventTypesField value={types} onChange={setTypes} />
      <Field
        label="Requests a second, at most"
        type="number"
        value={rate}
        onChange={setRate}
        hint="Empty: no limit."
      />
      <ReplaceHeaders names={Object.keys(endpoint.headers)} value={headers} onChange={setHeaders} />
      <Check label="Sign deliveries" isOn={isSigned} onChange={setIsSigned} />
    </Dialog>
  )
}

function DeleteEndpoint({ project, endpoint, onClose }: EndpointDialogProps) {
  const [, go] = useLocation()
  const [typed, setTyped] = useState('')
  const name = endpointName(endpoint)
  const { run, isBusy, problem } = useAct(async (client) => {
    await client.endpoints.delete(project, endpoint.id)
    go(paths.endpoints(project))
  })
  return (
    <Dialog
      title="Delete the endpoint"
      verb="Delete for good"
      isDangerous
      isBusy={isBusy}
      isReady={typed === name}
      problem={problem}
      onSubmit={run}
      onClose={onClose}
    >
      <p>
        Its secrets stop, its waiting deliveries fail, and it receives nothing any more. What was
        delivered stays in the lists.
      </p>
      <Field label={`Type ${name} to delete it`} value={typed} onChange={setTyped} />
    </Dialog>
  )
}
