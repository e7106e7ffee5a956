import type { Countersign, Endpoint, RotateSecret } from '@countersign/sdk'
import { useState } from 'react'
import { useLocation } from 'wouter'
import type { Handover } from '../handovers.ts'
import { Dialog } from '../kit/dialog.tsx'
import { Check, Choice, Field } from '../kit/field.tsx'
import { Notice } from '../kit/notice.tsx'
import { endpointName, paths } from '../paths.ts'
import { useAct } from '../read.tsx'
import { useSession } from '../session.ts'

/** Overlaps that people choose, in seconds. */
export const overlaps = [
  ['3600', '1 hour'],
  ['86400', '24 hours'],
  ['604800', '7 days'],
  ['2592000', '30 days'],
] as const

/** How far ahead a staged secret begins to sign until somebody says otherwise. */
const stagedMs = 86_400_000

/** Begins a rotation and goes to its page, where the secret is shown once. */
export function RotateDialog(props: { project: string; endpoint: Endpoint; onClose: () => void }) {
  const { endpoint } = props
  const [, go] = useLocation()
  const { handovers } = useSession()
  const [choice, setChoice] = useState(() => initialChoice(endpoint))
  const [typed, setTyped] = useState('')
  const change = (changes: Partial<RotationChoice>) => setChoice({ ...choice, ...changes })
  const { run, isBusy, problem } = useAct(async (client) => {
    const { rotationId, handover } = await rotate(client, props.project, endpoint, choice)
    handovers.set(rotationId, handover)
    go(paths.rotation(props.project, endpoint.id, rotationId))
  })
  const isCut = choice.overlap === '0'
  const name = endpointName(endpoint)
  return (
    <Dialog
      title="Rotate the secret"
      verb={isCut ? 'Cut now' : 'Rotate'}
      isDangerous={isCut}
      isBusy={isBusy}
      isReady={(!isCut || typed === name) && isWhole(choice)}
      problem={problem}
      onSubmit={run}
      onClose={props.onClose}
    >
      <WindowFields endpoint={endpoint} choice={choice} change={change} />
      <SecretFields endpoint={endpoint} choice={choice} change={change} />
      <Field
        label="Reason"
        value={choice.reason}
        onChange={(reason) => change({ reason })}
        hint="For the audit log."
      />
      {endpoint.rotation !== null && (
        <Check
          label="A rotation is open already: close it, and begin this one"
          isOn={choice.force}
          onChange={(force) => change({ force })}
        />
      )}
      <Consequence choice={choice} />
      {isCut && <Field label={`Type ${name} to cut`} value={typed} onChange={setTyped} />}
    </Dialog>
  )
}

interface RotationChoice {
  /** Seconds; `0` cuts. */
  overlap: string
  completeWhen: 'expiry' | 'verified'
  byClaimLink: boolean
  /** When the new secret begins to sign, as the browser's field has it; null: at once. */
  activatesAt: string | null
  /** A secret that the operator brings along; null: the server makes one. */
  ownSecret: string | null
  force: boolean
  reason: string
}

function initialChoice(endpoint: Endpoint): RotationChoice {
  const carriesOne = ['h-company', 'devtune', 'github'].includes(endpoint.format)
  return {
    overlap: carriesOne ? '0' : '86400',
    completeWhen: 'expiry',
    byClaimLink: false,
    activatesAt: null,
    ownSecret: null,
    force: false,
    reason: '',
  }
}

function WindowFields(props: {
  endpoint: Endpoint
  choice: RotationChoice
  change: (changes: Partial<RotationChoice>) => void
}) {
  const { choice, change } = props
  return (
    <>
      <Choice
        label="The old secret signs beside the new one for"
        value={choice.overlap}
        onChange={(overlap) =>
          change(
            overlap === '0'
              ? { overlap, completeWhen: 'expiry', byClaimLink: false, activatesAt: null }
              : { overlap },
          )
        }
        options={[...overlaps, ['0', 'no time: cut it now (after a leak)']]}
      />
      {choice.overlap !== '0' && (
        <>
          <Choice
            label="It ends"
            value={choice.completeWhen}
            onChange={(value) => change({ completeWhen: value as RotationChoice['completeWhen'] })}
            options={[
              ['expiry', 'when that time is over'],
              ['verified', 'as soon as the receiver has proved that it takes the new one'],
            ]}
          />
          {props.endpoint.algorithm === 'hmac-sha256' && choice.ownSecret === null && (
            <Check
              label="Hand the secret over by a claim link, so that only the receiver’s engineer sees it"
              isOn={choice.byClaimLink}
              onChange={(byClaimLink) => change({ byClaimLink, activatesAt: null })}
            />
          )}
        </>
      )}
    </>
  )
}

/** When the new secret begins to sign, and who makes it. */
function SecretFields(props: {
  endpoint: Endpoint
  choice: RotationChoice
  change: (changes: Partial<RotationChoice>) => void
}) {
  const { choice, change } = props
  const { activatesAt, ownSecret } = choice
  return (
    <>
      {choice.overlap !== '0' && !choice.byClaimLink && (
        <Check
          label="Stage it: the new secret signs only from a later time"
          isOn={activatesAt !== null}
          onChange={(isOn) => change({ activatesAt: isOn ? localTime(stagedMs) : null })}
        />
      )}
      {activatesAt !== null && (
        <Field
          label="The new secret signs from"
          type="datetime-local"
          value={activatesAt}
          onChange={(value) => change({ activatesAt: value })}
          hint="In your time zone, at most 30 days ahead. The overlap is counted from then on."
        />
      )}
      {!choice.byClaimLink && (
        <Check
          label="Use a secret of my own"
          isOn={ownSecret !== null}
          onChange={(isOn) => change({ ownSecret: isOn ? '' : null })}
        />
      )}
      {ownSecret !== null && (
        <Field
          label="Own secret"
          type="password"
          value={ownSecret}
          onChange={(value) => change({ ownSecret: value })}
          hint={
            props.endpoint.algorithm === 'ed25519'
              ? 'whsk_ and the base64 of an Ed25519 private key with its public key behind it.'
              : 'whsec_ and the base64 of 24 to 64 random bytes.'
          }
        />
      )}
    </>
  )
}

function isWhole({ activatesAt, ownSecret }: RotationChoice): boolean {
  return activatesAt !== '' && ownSecret?.trim() !== ''
}

/** So far from now, in milliseconds, as `datetime-local` wants it. */
function localTime(aheadMs: number): string {
  const at = new Date(Date.now() + aheadMs)
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

/** Exactly what will happen. */
function Consequence({ choice }: { choice: RotationChoice }) {
  if (choice.overlap === '0') {
    return (
      <Notice tone="bad">
        From the next attempt on, only the new secret signs. A receiver that does not have it yet
        refuses every delivery until it does. Refused deliveries are tried again.
      </Notice>
    )
  }
  if (choice.activatesAt !== null) {
    return (
      <Notice>
        Until that time only the old secret signs; then both do, so deploy the new one before. You
        see it once, on the next page.
      </Notice>
    )
  }
  return (
    <Notice>
      {choice.byClaimLink
        ? 'You get a link that works once. The overlap begins when it is used; until then nothing changes for the receiver.'
        : 'Both secrets sign every delivery at once, so nothing breaks. You see the new secret once, on the next page.'}
    </Notice>
  )
}

async function rotate(
  client: Countersign,
  project: string,
  endpoint: Endpoint,
  choice: RotationChoice,
): Promise<{ rotationId: string; handover: Handover }> {
  const input: RotateSecret = {
    expireCurrentIn: Number(choice.overlap),
    completeWhen: choice.completeWhen,
    ...(choice.activatesAt === null
      ? {}
      : { activateAt: new Date(choice.activatesAt).toISOString() }),
    ...(choice.ownSecret === null ? {} : { secret: choice.ownSecret.trim() }),
    ...(choice.force ? { force: true } : {}),
    ...(choice.reason === '' ? {} : { reason: choice.reason }),
  }
  const { endpoints } = client
  if (endpoint.algorithm === 'ed25519') {
    const answer = await endpoints.rotateSecret(project, endpoint.id, {
      ...input,
      algorithm: 'ed25519',
    })
    return handOver(answer, 'public_key', answer.publicKey)
  }
  if (choice.byClaimLink) {
    const answer = await endpoints.rotateSecret(project, endpoint.id, {
      ...input,
      deliver: 'claim_link',
    })
    return handOver(answer, 'claim_link', answer.claimUrl)
  }
  const answer = await endpoints.rotateSecret(project, endpoint.id, input)
  return handOver(answer, 'secret', answer.secret)
}

function handOver(
  answer: { secretId: string; rotation: { id: string } },
  kind: Handover['kind'],
  value: string,
) {
  return { rotationId: answer.rotation.id, handover: { kind, value, label: answer.secretId } }
}
