import type { Project, ProjectSettings, UpdateProject } from '@countersign/sdk'
import { useState } from 'react'
import { Button } from '../kit/button.tsx'
import { Card, Facts } from '../kit/card.tsx'
import { Dialog } from '../kit/dialog.tsx'
import { Check, Choice, Field } from '../kit/field.tsx'
import { PageFrame } from '../kit/page.tsx'
import { lengthText, When } from '../kit/time.tsx'
import { useToast } from '../kit/toast.tsx'
import { Loaded, useAct, useRead } from '../read.tsx'
import { useSession } from '../session.ts'

/** What a project is set to over the defaults of the server. */
export function ProjectSettingsPage({ params }: { params: { project: string } }) {
  const { kind } = useSession()
  const [isEditing, setIsEditing] = useState(false)
  const query = useRead(
    ['project', params.project],
    (client, signal) => client.projects.get(params.project, { signal }),
    10_000,
  )
  const edit = kind === 'instance' && query.data !== undefined && (
    <Button kind="primary" onClick={() => setIsEditing(true)}>
      Edit
    </Button>
  )
  return (
    <PageFrame
      title="Settings"
      actions={edit}
      lead="What is not set here follows the server. Changing it takes the root key."
    >
      <Loaded query={query} rows={8}>
        {(project) => <SettingsCard project={project} />}
      </Loaded>
      {isEditing && query.data !== undefined && (
        <EditProject project={query.data} onClose={() => setIsEditing(false)} />
      )}
    </PageFrame>
  )
}

const byDefault = 'as the server says'
const inStandard = 'in the format standard'

function SettingsCard({ project }: { project: Project }) {
  const { settings } = project
  const { secretPolicy = {}, rotationBounds = {} } = settings
  const { expireCurrentInMin, expireCurrentInMax } = rotationBounds
  return (
    <Card isPadded>
      <Facts
        rows={[
          ['Name', project.name],
          ['Uid', project.uid ?? '–'],
          ['Id', project.id],
          ['Made', <When key="made" at={project.createdAt} />],
          ['Retries after', settings.retrySchedule?.replaceAll(',', ', ') ?? byDefault],
          [
            'History is kept',
            settings.retentionDays === undefined ? byDefault : `${settings.retentionDays} days`,
          ],
          ['Oldest secret', ageText(secretPolicy.maxAgeDays)],
          ['An older one is', actionNames[secretPolicy.action ?? '']],
          ['Overlap of that rotation', overlapText(secretPolicy.expireCurrentIn)],
          ['That rotation ends', endNames[secretPolicy.completeWhen ?? '']],
          ['Shortest overlap', overlapText(expireCurrentInMin)],
          ['Longest overlap', overlapText(expireCurrentInMax)],
          ['Probes by themselves', settings.autoProbe ? 'yes' : 'no'],
          ['Secret ids in deliveries', settings.secretIdsInEveryFormat ? 'always' : inStandard],
          ['Secrets in Composio reads', settings.revealSecretInReads ? 'shown' : 'hidden'],
        ]}
      />
    </Card>
  )
}

const actionNames = { '': byDefault, notify: 'told of, once', rotate: 'rotated' }
const endNames = {
  '': byDefault,
  expiry: 'when its time is over',
  verified: 'when the receiver has proved that it takes the new secret',
}

function ageText(days: number | null | undefined): string {
  if (days === undefined) return byDefault
  return days === null ? 'of any age' : `${days} days`
}

function overlapText(seconds: number | undefined): string {
  return seconds === undefined ? byDefault : lengthText(seconds * 1_000)
}

function EditProject({ project, onClose }: { project: Project; onClose: () => void }) {
  const say = useToast()
  const [form, setForm] = useState(() => formOf(project))
  const change = (changes: Partial<SettingsForm>) => setForm({ ...form, ...changes })
  const { run, isBusy, problem } = useAct(async (client) => {
    await client.projects.update(project.id, changesOf(form))
    say('Saved.')
    onClose()
  })
  return (
    <Dialog
      title="Edit the project"
      verb="Save"
      isReady={form.name.trim() !== ''}
      {...{ isBusy, problem, onClose }}
      onSubmit={run}
    >
      <Field label="Name" value={form.name} onChange={(name) => change({ name })} />
      <Field label="Uid" value={form.uid} onChange={(uid) => change({ uid })} />
      <Field
        label="Delays of retries"
        value={form.schedule}
        onChange={(schedule) => change({ schedule })}
        placeholder="5s,5m,30m,2h"
        hint="After the first attempt. Empty: stays as it is."
      />
      <Field
        label="Days for which the history is kept"
        type="number"
        value={form.retentionDays}
        onChange={(retentionDays) => change({ retentionDays })}
        hint="Empty: stays as it is."
      />
      <PolicyFields form={form} change={change} />
      <Check
        label="Probe receivers by themselves while a rotation is open"
        isOn={form.autoProbe}
        onChange={(autoProbe) => change({ autoProbe })}
      />
      <Check
        label="Name the secrets in deliveries of every format, so that receivers can report which they use"
        isOn={form.secretIds}
        onChange={(secretIds) => change({ secretIds })}
      />
      <Check
        label="Show signing secrets in clear in reads of the Composio v3.1 API; the audit log tells of each"
        isOn={form.reveal}
        onChange={(reveal) => change({ reveal })}
      />
    </Dialog>
  )
}

function PolicyFields(props: {
  form: SettingsForm
  change: (changes: Partial<SettingsForm>) => void
}) {
  const { form, change } = props
  return (
    <>
      <Field
        label="Oldest secret, in days"
        type="number"
        value={form.maxAgeDays}
        onChange={(maxAgeDays) => change({ maxAgeDays })}
        hint={form.isAnyAge ? 'Empty: of any age, as it is.' : 'Empty: as the server says.'}
      />
      <Choice
        label="A secret that is older is"
        value={form.action}
        onChange={(action) => change({ action: action as SettingsForm['action'] })}
        options={Object.entries(actionNames)}
      />
      <Field
        label="Overlap of that rotation, in seconds"
        type="number"
        value={form.policyOverlap}
        onChange={(policyOverlap) => change({ policyOverlap })}
        hint="Empty: as the server says."
      />
      <Choice
        label="That rotation ends"
        value={form.completeWhen}
        onChange={(value) => change({ completeWhen: value as SettingsForm['completeWhen'] })}
        options={Object.entries(endNames)}
      />
      <Field
        label="Shortest overlap, in seconds"
        type="number"
        value={form.overlapMin}
        onChange={(overlapMin) => change({ overlapMin })}
        hint="Of every rotation. Empty: as the server says."
      />
      <Field
        label="Longest overlap, in seconds"
        type="number"
        value={form.overlapMax}
        onChange={(overlapMax) => change({ overlapMax })}
        hint="Empty: as the server says."
      />
    </>
  )
}

type Policy = NonNullable<ProjectSettings['secretPolicy']>

/** Texts as the fields have them; an empty one is not set. */
interface SettingsForm {
  name: string
  uid: string
  schedule: string
  retentionDays: string
  maxAgeDays: string
  /** The project says that a secret may have any age, and the field was left alone. */
  isAnyAge: boolean
  action: NonNullable<Policy['action']> | ''
  policyOverlap: string
  completeWhen: NonNullable<Policy['completeWhen']> | ''
  overlapMin: string
  overlapMax: string
  autoProbe: boolean
  secretIds: boolean
  reveal: boolean
}

function formOf({ name, uid, settings }: Project): SettingsForm {
  const { secretPolicy = {}, rotationBounds = {} } = settings
  return {
    name,
    uid: uid ?? '',
    schedule: settings.retrySchedule ?? '',
    retentionDays: String(settings.retentionDays ?? ''),
    maxAgeDays: String(secretPolicy.maxAgeDays ?? ''),
    isAnyAge: secretPolicy.maxAgeDays === null,
    action: secretPolicy.action ?? '',
    policyOverlap: String(secretPolicy.expireCurrentIn ?? ''),
    completeWhen: secretPolicy.completeWhen ?? '',
    overlapMin: String(rotationBounds.expireCurrentInMin ?? ''),
    overlapMax: String(rotationBounds.expireCurrentInMax ?? ''),
    autoProbe: settings.autoProbe ?? false,
    secretIds: settings.secretIdsInEveryFormat ?? false,
    reveal: settings.revealSecretInReads ?? false,
  }
}

/** A policy and bounds are put in place whole, so what is empty there follows the server again. */
function changesOf(form: SettingsForm): UpdateProject {
  return {
    name: form.name,
    uid: form.uid === '' ? null : form.uid,
    settings: {
      ...(form.schedule.trim() === '' ? {} : { retrySchedule: form.schedule }),
      ...given('retentionDays', form.retentionDays),
      secretPolicy: {
        ...(form.isAnyAge && form.maxAgeDays === '' ? { maxAgeDays: null } : {}),
        ...given('maxAgeDays', form.maxAgeDays),
        ...(form.action === '' ? {} : { action: form.action }),
        ...given('expireCurrentIn', form.policyOverlap),
        ...(form.completeWhen === '' ? {} : { completeWhen: form.completeWhen }),
      },
      rotationBounds: {
        ...given('expireCurrentInMin', form.overlapMin),
        ...given('expireCurrentInMax', form.overlapMax),
      },
      autoProbe: form.autoProbe,
      secretIdsInEveryFormat: form.secretIds,
      revealSecretInReads: form.reveal,
    },
  }
}

function given<TName extends string>(name: TName, text: string): { [K in TName]?: number } {
  return (text === '' ? {} : { [name]: Number(text) }) as { [K in TName]?: number }
}
