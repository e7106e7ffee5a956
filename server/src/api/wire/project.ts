import type { Static } from 'typebox'
import { formatDuration, parseDurationList } from '../../core/duration.ts'
import { type FieldError, invalidField } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import type { Project, ProjectSettings } from '../../core/project.ts'
import { completeWhenValues } from '../../core/rotation.ts'
import { policyActions, type SecretPolicyOverride } from '../../core/secret-policy.ts'
import { nullable, oneOf, ref, text, time } from './fields.ts'
import { wireTime } from './time.ts'
import { Type } from './type.ts'

const seconds = Type.Integer({ minimum: 0, maximum: limits.expireCurrentInMaxSeconds })

export const ProjectSettingsSchema = Type.Object(
  {
    retry_schedule: Type.Optional(
      text(
        500,
        'Delays after the first attempt, such as `5s,5m,30m`: 1 to 50, each from 1 ms to 30 days. Absent: the default of the instance.',
      ),
    ),
    retention_days: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 36_500,
        description:
          'Days for which events, deliveries and attempts are kept. Absent: the default of the instance.',
      }),
    ),
    reveal_secret_in_reads: Type.Optional(
      Type.Boolean({
        description:
          "Whether Composio v3.1 reads show the signing secret in clear, as that API's contract says, to keys that may rotate. Every reveal is in the audit log. Default: false.",
      }),
    ),
    auto_probe: Type.Optional(
      Type.Boolean({
        description:
          'Whether receivers are probed by themselves while a rotation is open: to explain refused deliveries, and before a window ends. Default: false, so only where a rotation waits for proof.',
      }),
    ),
    secret_ids_in_every_format: Type.Optional(
      Type.Boolean({
        description:
          'Whether deliveries of every format carry `webhook-secret-ids`, so that receivers can answer which secret they use. Default: false, so only the format `standard`.',
      }),
    ),
    secret_policy: Type.Optional(
      Type.Object(
        {
          max_age_days: Type.Optional(
            nullable(Type.Integer({ minimum: 1, maximum: limits.secretAgeMaxDays })),
          ),
          action: Type.Optional(oneOf(policyActions)),
          expire_current_in: Type.Optional(
            Type.Integer({ minimum: 1, maximum: limits.expireCurrentInMaxSeconds }),
          ),
          complete_when: Type.Optional(oneOf(completeWhenValues)),
        },
        {
          additionalProperties: false,
          description:
            'How old a secret may become, and what happens then: `notify` emits `endpoint.secret.over_age` once, `rotate` rotates, shared secrets by claim link. A member that is absent is the default of the instance; `max_age_days: null` is no limit.',
        },
      ),
    ),
    rotation_bounds: Type.Optional(
      Type.Object(
        {
          expire_current_in_min: Type.Optional(seconds),
          expire_current_in_max: Type.Optional(seconds),
        },
        {
          additionalProperties: false,
          description:
            'Bounds of `expire_current_in`, in seconds, within those of the instance, which they can only narrow.',
        },
      ),
    ),
  },
  {
    $id: 'ProjectSettings',
    additionalProperties: false,
    description: 'What a project sets over the defaults of the instance.',
  },
)

export const ProjectSchema = Type.Object(
  {
    id: Type.String(),
    uid: nullable(Type.String({ description: "The caller's own identifier." })),
    name: Type.String(),
    settings: ref(ProjectSettingsSchema),
    created_at: time(),
    updated_at: time(),
  },
  {
    $id: 'Project',
    additionalProperties: false,
    description: 'A tenant: owns endpoints, events and API keys.',
  },
)

const projectFields = {
  name: text(limits.nameLengthMax),
  uid: Type.Optional(
    nullable(
      text(
        limits.uidLengthMax,
        'An identifier of your own, which paths take in place of the id. Must not look like an id.',
      ),
    ),
  ),
  settings: Type.Optional(ref(ProjectSettingsSchema)),
}

export const CreateProjectSchema = Type.Object(projectFields, {
  $id: 'CreateProject',
  additionalProperties: false,
})

export const UpdateProjectSchema = Type.Object(
  { ...projectFields, name: Type.Optional(projectFields.name) },
  {
    $id: 'UpdateProject',
    additionalProperties: false,
    description: 'What is absent stays as it is; `settings` are merged member by member.',
  },
)

export type WireProjectSettings = Static<typeof ProjectSettingsSchema>

export function presentProject(project: Project): Static<typeof ProjectSchema> {
  return {
    id: project.id,
    uid: project.uid,
    name: project.name,
    settings: presentSettings(project.settings),
    created_at: wireTime(project.createdAt),
    updated_at: wireTime(project.updatedAt),
  }
}

/** The settings of a body that `settingsProblems` found nothing wrong with. */
export function readSettings(wire: WireProjectSettings): ProjectSettings {
  const problems = settingsProblems(wire)
  if (problems[0]) throw invalidField(problems[0].param, problems[0].detail)
  const settings: ProjectSettings = {}
  if (wire.retry_schedule !== undefined) {
    settings.retryScheduleMs = parseDurationList(wire.retry_schedule) ?? []
  }
  if (wire.retention_days !== undefined) settings.retentionDays = wire.retention_days
  if (wire.reveal_secret_in_reads !== undefined) {
    settings.revealSecretInReads = wire.reveal_secret_in_reads
  }
  if (wire.auto_probe !== undefined) settings.autoProbe = wire.auto_probe
  if (wire.secret_ids_in_every_format !== undefined) {
    settings.secretIdsInEveryFormat = wire.secret_ids_in_every_format
  }
  if (wire.secret_policy !== undefined) settings.secretPolicy = readPolicy(wire.secret_policy)
  if (wire.rotation_bounds !== undefined) {
    const { expire_current_in_min: min, expire_current_in_max: max } = wire.rotation_bounds
    settings.rotationBounds = {
      ...(min === undefined ? {} : { expireCurrentInMinSeconds: min }),
      ...(max === undefined ? {} : { expireCurrentInMaxSeconds: max }),
    }
  }
  return settings
}

function readPolicy(wire: NonNullable<WireProjectSettings['secret_policy']>): SecretPolicyOverride {
  const { max_age_days, action, expire_current_in, complete_when } = wire
  return {
    ...(max_age_days === undefined ? {} : { maxAgeDays: max_age_days }),
    ...(action === undefined ? {} : { action }),
    ...(expire_current_in === undefined ? {} : { expireCurrentInSeconds: expire_current_in }),
    ...(complete_when === undefined ? {} : { completeWhen: complete_when }),
  }
}

/** What a type cannot say of settings; looks only at members that have the right type. */
export function settingsProblems(settings: unknown): FieldError[] {
  const { retry_schedule: schedule, rotation_bounds: bounds } = (settings ??
    {}) as Partial<WireProjectSettings>
  const problems: FieldError[] = []
  if (typeof schedule === 'string' && !isSchedule(schedule)) {
    problems.push({
      param: 'settings.retry_schedule',
      detail: `Must be 1 to ${scheduleDelaysMax} durations with commas between, such as 5s,5m,2h, each from 1ms to 30d.`,
      code: 'invalid_value',
    })
  }
  const min = bounds?.expire_current_in_min
  const max = bounds?.expire_current_in_max
  if (typeof min === 'number' && typeof max === 'number' && min > max) {
    problems.push({
      param: 'settings.rotation_bounds.expire_current_in_min',
      detail: 'Must be at most expire_current_in_max.',
      code: 'out_of_range',
    })
  }
  return problems
}

function presentSettings(settings: ProjectSettings): WireProjectSettings {
  const { autoProbe, retryScheduleMs, retentionDays, revealSecretInReads } = settings
  const { rotationBounds, secretIdsInEveryFormat, secretPolicy } = settings
  return {
    ...(retryScheduleMs === undefined
      ? {}
      : { retry_schedule: retryScheduleMs.map(formatDuration).join(',') }),
    ...(retentionDays === undefined ? {} : { retention_days: retentionDays }),
    ...(autoProbe === undefined ? {} : { auto_probe: autoProbe }),
    ...(revealSecretInReads === undefined ? {} : { reveal_secret_in_reads: revealSecretInReads }),
    ...(secretIdsInEveryFormat === undefined
      ? {}
      : { secret_ids_in_every_format: secretIdsInEveryFormat }),
    ...(secretPolicy === undefined ? {} : { secret_policy: presentPolicy(secretPolicy) }),
    ...(rotationBounds === undefined ? {} : { rotation_bounds: presentBounds(rotationBounds) }),
  }
}

function presentPolicy(policy: SecretPolicyOverride) {
  const { maxAgeDays, action, expireCurrentInSeconds, completeWhen } = policy
  return {
    ...(maxAgeDays === undefined ? {} : { max_age_days: maxAgeDays }),
    ...(action === undefined ? {} : { action }),
    ...(expireCurrentInSeconds === undefined ? {} : { expire_current_in: expireCurrentInSeconds }),
    ...(completeWhen === undefined ? {} : { complete_when: completeWhen }),
  }
}

function presentBounds(bounds: NonNullable<ProjectSettings['rotationBounds']>) {
  const { expireCurrentInMinSeconds: min, expireCurrentInMaxSeconds: max } = bounds
  return {
    ...(min === undefined ? {} : { expire_current_in_min: min }),
    ...(max === undefined ? {} : { expire_current_in_max: max }),
  }
}

function isSchedule(schedule: string): boolean {
  const delays = parseDurationList(schedule)
  return (
    delays !== null &&
    delays.length <= scheduleDelaysMax &&
    delays.every((delayMs) => delayMs >= 1 && delayMs <= scheduleDelayMaxMs)
  )
}

// The bounds of the instance's own schedule, `COUNTERSIGN_RETRY_SCHEDULE`.
const scheduleDelaysMax = 50
const scheduleDelayMaxMs = 30 * 86_400_000
