import type { CreateCampaign as NewCampaign } from '@countersign/sdk'
import { useState } from 'react'
import { useLocation } from 'wouter'
import { Dialog } from '../kit/dialog.tsx'
import { Check, Choice, Field } from '../kit/field.tsx'
import { Notice } from '../kit/notice.tsx'
import { paths } from '../paths.ts'
import { useAct } from '../read.tsx'
import { overlaps } from './rotate-dialog.tsx'

/** Chooses endpoints, a pace, and how new secrets are handed over. */
export function CreateCampaign({ onClose }: { onClose: () => void }) {
  const [, go] = useLocation()
  const [which, setWhich] = useState('over_age')
  const [perMinute, setPerMinute] = useState('30')
  const [overlap, setOverlap] = useState('604800')
  const [byClaimLink, setByClaimLink] = useState(true)
  const [reason, setReason] = useState('')
  const { run, isBusy, problem } = useAct(async (client) => {
    const input: NewCampaign = {
      filter: filters[which] ?? {},
      perMinute: Number(perMinute),
      expireCurrentIn: Number(overlap),
      ...(byClaimLink ? { deliver: 'claim_link' } : {}),
      ...(reason === '' ? {} : { reason }),
    }
    const { id } = await client.campaigns.create(input)
    go(paths.campaign(id))
  })
  return (
    <Dialog
      title="New campaign"
      verb="Begin"
      isReady={Number(perMinute) > 0}
      {...{ isBusy, problem, onClose }}
      onSubmit={run}
    >
      <Choice
        label="Which endpoints"
        value={which}
        onChange={setWhich}
        options={[
          ['over_age', 'Those over their age'],
          ['90', 'Secrets older than 90 days'],
          ['365', 'Secrets older than a year'],
          ['ed25519', 'Those that sign with a public key'],
          ['all', 'All'],
        ]}
      />
      <Field label="Endpoints a minute" type="number" value={perMinute} onChange={setPerMinute} />
      <Choice
        label="Old secrets sign beside the new ones for"
        value={overlap}
        onChange={setOverlap}
        options={overlaps}
      />
      <Check
        label="Hand shared secrets over by claim link"
        isOn={byClaimLink}
        onChange={setByClaimLink}
      />
      <Field label="Reason" value={reason} onChange={setReason} hint="For the audit log." />
      <Notice>
        Nothing is cut. Without claim links, endpoints with a shared secret are skipped, as nobody
        would be there to take it.
      </Notice>
    </Dialog>
  )
}

const filters: Readonly<Record<string, NonNullable<NewCampaign['filter']>>> = {
  over_age: { overAge: true },
  '90': { olderThanDays: 90 },
  '365': { olderThanDays: 365 },
  ed25519: { algorithm: 'ed25519' },
  all: {},
}
