import { requireScope } from '../core/authorization.ts'
import { AppError, type FieldError, invalidFields } from '../core/errors.ts'
import type { NewEvent } from '../core/event.ts'
import { isEventType, isReservedEventType } from '../core/event-type.ts'
import { parseTime, timeText } from '../core/time.ts'
import type { AcceptedEvent } from '../storage/storage.ts'
import type { ActionContext } from './action-context.ts'
import { metadataProblem } from './endpoint-input.ts'

export interface PublishInput {
  id?: string | undefined
  type: string
  timestamp?: string | undefined
  metadata?: Record<string, unknown> | undefined
  /** JSON text of an object, byte-exact. */
  data: string
}

/** What became of one event, in the order given. */
export type Published = { event: AcceptedEvent } | { error: AppError }

const eventIdPattern = /^[A-Za-z0-9_-]{1,64}$/

/**
 * Accepts events: an answer means that the event and all its deliveries are durable. Each event of
 * a batch stands for itself; order is kept.
 */
export async function publishEvents(
  context: ActionContext,
  projectId: string,
  inputs: readonly PublishInput[],
): Promise<Published[]> {
  requireScope(context.principal, projectId, 'events.write')
  const refusals = inputs.map((input) => refusalOf(context, input))
  const checking = checkSchemas(context, projectId, inputs, refusals)
  if (checking !== null) await checking
  const events: NewEvent[] = []
  inputs.forEach((input, index) => {
    if (refusals[index] === null) events.push(newEvent(context, projectId, input))
  })
  const accepted = await accept(context, refusals, events)
  context.noteAccepted(accepted.filter((one) => 'event' in one && isNew(one.event)).length)
  return accepted
}

/**
 * Holds each event that is fine so far against the schema of its type, and puts in what it finds.
 * Null where no type has one, which is known without waiting.
 */
function checkSchemas(
  context: ActionContext,
  projectId: string,
  inputs: readonly PublishInput[],
  refusals: (AppError | null)[],
): Promise<unknown> | null {
  const checks: Promise<void>[] = []
  const check = async (schema: string | null, index: number, data: string) => {
    if (schema === null) return
    refusals[index] = await schemaRefusal(context, projectId, schema, data)
  }
  inputs.forEach(({ type, data }, index) => {
    if (refusals[index] !== null) return
    const schema = context.eventTypes.schemaOf(projectId, type)
    if (schema === null) return
    const isKnown = typeof schema === 'string'
    checks.push(
      isKnown ? check(schema, index, data) : schema.then((read) => check(read, index, data)),
    )
  })
  return checks.length === 0 ? null : Promise.all(checks)
}

async function schemaRefusal(
  { eventSchemas }: ActionContext,
  projectId: string,
  schema: string,
  data: string,
): Promise<AppError | null> {
  try {
    const problems = await eventSchemas.check(projectId, schema, data)
    return problems.length === 0 ? null : invalidFields(problems)
  } catch (error) {
    // Each event of a batch stands for itself, also where its turn did not come.
    if (error instanceof AppError) return error
    throw error
  }
}

/**
 * The hot path shares one commit with everything else of this turn; an answer that must be kept
 * goes the longer way, in the transaction of its record.
 */
async function accept(
  context: ActionContext,
  refusals: readonly (AppError | null)[],
  events: readonly NewEvent[],
): Promise<Published[]> {
  if (context.keepsAnswer) {
    return context.transact(async (tx) =>
      publishedOf(refusals, events.length === 0 ? [] : await tx.acceptEvents(events)),
    )
  }
  return publishedOf(
    refusals,
    events.length === 0 ? [] : await context.storage.acceptEvents(events),
  )
}

function isNew(event: AcceptedEvent): boolean {
  return event.status === 'accepted'
}

/** Every rule of an event's fields that a type cannot say, all at once. */
export function eventProblems(input: Partial<PublishInput>): FieldError[] {
  const problems: FieldError[] = []
  const report = (param: string, detail: string, code = 'invalid_value') =>
    problems.push({ param, detail, code })
  if (input.id !== undefined && !eventIdPattern.test(input.id)) {
    report('id', 'Must be 1 to 64 letters, digits, _ or -. It becomes part of the signed text.')
  }
  if (input.type !== undefined) {
    if (!isEventType(input.type)) {
      report(
        'type',
        'Must be dot-separated words of letters, digits, _ and -, at most 256 characters.',
      )
    } else if (isReservedEventType(input.type)) {
      report('type', 'The prefixes endpoint. and countersign. are reserved.', 'reserved')
    }
  }
  if (input.timestamp !== undefined && parseTime(input.timestamp) === null) {
    report('timestamp', 'Must be an RFC 3339 time such as 2026-11-01T10:00:00Z.')
  }
  if (input.metadata !== undefined) {
    const problem = metadataProblem(input.metadata)
    if (problem !== null) report('metadata', problem)
  }
  return problems
}

export function newEvent(
  context: Pick<ActionContext, 'clock' | 'newId'>,
  projectId: string,
  input: PublishInput,
): NewEvent {
  const now = context.clock.now()
  return {
    id: input.id ?? context.newId('evt'),
    hasCallerId: input.id !== undefined,
    projectId,
    type: input.type,
    timestamp: input.timestamp ?? timeText(now),
    metadata: input.metadata ?? {},
    data: input.data,
    createdAt: now,
  }
}

function refusalOf(context: ActionContext, input: PublishInput): AppError | null {
  const problems = eventProblems(input)
  if (problems.length > 0) return invalidFields(problems)
  const max = context.settings.dataBytesMax
  // A text of n characters takes at most 3n bytes, so most events need no counting.
  if (input.data.length * 3 > max && Buffer.byteLength(input.data) > max) {
    return new AppError('payload_too_large', {
      detail: `data may take at most ${max} bytes.`,
      param: 'data',
    })
  }
  return null
}

function publishedOf(
  refusals: readonly (AppError | null)[],
  accepted: readonly AcceptedEvent[],
): Published[] {
  let next = 0
  return refusals.map((refusal) => {
    if (refusal !== null) return { error: refusal }
    const event = accepted[next++]
    if (event === undefined) throw new Error('The store answered fewer events than it was given.')
    if (event.status !== 'conflict') return { event }
    return {
      error: new AppError('event_id_conflict', {
        detail: `The id ${event.id} was used for an event with another type or other data.`,
        param: 'id',
      }),
    }
  })
}
