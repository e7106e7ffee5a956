import type { CreatedEndpoint, CreatedKeyEndpoint, Endpoint } from '@countersign/sdk'
import { useState } from 'react'
import { useLocation } from 'wouter'
import { Dialog } from '../kit/dialog.tsx'
import { Choice, Field } from '../kit/field.tsx'
import { paths } from '../paths.ts'
import { useAct } from '../read.tsx'
import { useSession } from '../session.ts'
import { HeadersField, readHeaders } from './custom-headers.tsx'

type Format = Endpoint['format']

const formats: readonly (readonly [Format, string])[] = [
  ['standard', 'Standard Webhooks'],
  ['mobilerun', 'Mobilerun'],
  ['composio', 'Composio v3'],
  ['composio-v2', 'Composio v2'],
  ['composio-v1', 'Composio v1'],
  ['h-company', 'H Company'],
  ['devtune', 'DevTune'],
  ['dinie', 'Dinie'],
  ['stripe', 'Stripe'],
  ['github', 'GitHub'],
]

/** Makes an endpoint and goes to its page, where the secret is shown once. */
export function CreateEndpoint({ project, onClose }: { project: string; onClose: () => void }) {
  const [, go] = useLocation()
  const { handovers } = useSession()
  const [url, setUrl] = useState('')
  const [description, setDescription] = useState('')
  const [types, setTypes] = useState('*')
  const [format, setFormat] = useState<Format>('standard')
  const [headers, setHeaders] = useState('')
  const [algorithm, setAlgorithm] = useState('hmac-sha256')
  const { run, isBusy, problem } = useAct(async (client) => {
    const input = {
      url,
      format,
      eventTypes: readTypes(types),
      ...(description === '' ? {} : { description }),
      headers: readHeaders(headers),
    }
    const created: CreatedEndpoint | CreatedKeyEndpoint =
      algorithm === 'ed25519'
        ? await client.endpoints.create(project, { ...input, algorithm: 'ed25519' })
        : await client.endpoints.create(project, input)
    handovers.set(created.id, {
      kind: 'secret' in created ? 'secret' : 'public_key',
      value: 'secret' in created ? created.secret : created.publicKey,
      label: created.secretId,
    })
    go(paths.endpoint(project, created.id))
  })
  return (
    <Dialog
      title="New endpoint"
      verb="Create"
      isBusy={isBusy}
      isReady={url.trim() !== ''}
      problem={problem}
      onSubmit={run}
      onClose={onClose}
    >
      <Field label="URL" value={url} onChange={setUrl} placeholder="https://example.com/webhooks" />
      <Field label="Description" value={description} onChange={setDescription} />
      <EventTypesField value={types} onChange={setTypes} />
      <Choice
        label="Format"
        value={format}
        onChange={(value) => setFormat(value as Format)}
        options={formats}
        hint="How deliveries look on the wire. Standard Webhooks carries several signatures, so secrets rotate without a gap."
      />
      {format === 'standard' && (
        <Choice
          label="Signature"
          value={algorithm}
          onChange={setAlgorithm}
          options={[
            ['hmac-sha256', 'Shared secret (HMAC-SHA256)'],
            ['ed25519', 'Public key (Ed25519): rotates hands-free'],
          ]}
        />
      )}
      <HeadersField value={headers} onChange={setHeaders} />
    </Dialog>
  )
}

export function EventTypesField(props: { value: string; onChange: (value: string) => void }) {
  return (
    <Field
      label="Event types"
      {...props}
      hint="Separated by commas: exact types, a prefix such as order.*, or * for all."
    />
  )
}

export function readTypes(text: string): string[] {
  return text.split(/[\s,]+/).filter((type) => type !== '')
}
