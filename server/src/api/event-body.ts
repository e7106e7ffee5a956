import { eventProblems, type PublishInput } from '../actions/publish-events.ts'
import { AppError, type FieldError, invalidFields } from '../core/errors.ts'
import { type BatchElement, type Envelope, readBatch } from '../core/json-scanner.ts'
import { limits } from '../core/limits.ts'
import { apiLimits } from './api-limits.ts'
import { type RequestBody, readObject, scanRefusal, sourceOf } from './request-body.ts'
import { mergeFieldErrors } from './validation.ts'
import { PublishBatchSchema, PublishEventSchema } from './wire/event.ts'

/*
 * Events are the hot path, so their bodies are checked by hand rather than by their schema, which
 * says the same: one pass over the text, `data` neither parsed nor written anew.
 */

/** The body of a single publish. */
export const eventBody: RequestBody<PublishInput> = {
  schema: PublishEventSchema,
  bytesMax: ({ dataBytesMax }) => dataBytesMax + limits.eventEnvelopeBytesMax,
  prepare: () => (bytes) => {
    const slot = readEvent(readObject(bytes, rawMembers))
    if (slot instanceof AppError) throw slot
    return slot
  },
}

/** What stands at one place of a batch: an event, or why it is none. */
export type BatchSlot = PublishInput | AppError

/** The body of a batch: a fault in one event is the fault of that event alone. */
export const batchBody: RequestBody<BatchSlot[]> = {
  schema: PublishBatchSchema,
  bytesMax: () => limits.batchBodyBytesMax,
  prepare: () => (bytes) => {
    const batch =
      bytes.length === 0
        ? ({ ok: true, value: {}, elements: null, text: '' } as const)
        : readBatch(bytes, { depthMax: limits.jsonDepthMax, rawMembers, listKey: 'events' })
    if (!batch.ok) throw scanRefusal(batch)
    const problems = listProblems(batch.value, batch.elements?.length ?? null)
    if (problems.length > 0) throw invalidFields(problems)
    return (batch.elements ?? []).map(readElement)
  },
}

const rawMembers = ['data']

/** What a type cannot say, the action checks where the types fit, and this where they do not. */
function readEvent(envelope: Pick<Envelope, 'text' | 'value' | 'members'>): BatchSlot {
  const { value } = envelope
  const problems = typeProblems(value)
  const input: PublishInput = {
    type: value.type as string,
    data: sourceOf(envelope, 'data') ?? '',
    id: value.id as string | undefined,
    timestamp: value.timestamp as string | undefined,
    metadata: value.metadata as Record<string, unknown> | undefined,
  }
  if (problems.length === 0) return input
  const wellTyped: Partial<PublishInput> = { ...input }
  for (const { param } of problems) delete wellTyped[param as keyof PublishInput]
  return invalidFields(mergeFieldErrors(problems, eventProblems(wellTyped)))
}

function readElement(element: BatchElement): BatchSlot {
  if (!element.ok) return scanRefusal(element)
  if (element.members !== null) return readEvent(element)
  // The place in the batch, which only the answer knows, is all the path there is.
  return invalidFields([{ param: '', detail: 'Must be an object.', code: 'wrong_type' }])
}

function typeProblems(value: Record<string, unknown>): FieldError[] {
  const problems: FieldError[] = []
  const report = (param: string, detail: string, code: string) =>
    problems.push({ param: param.slice(0, apiLimits.quotedNameLengthMax), detail, code })
  for (const [key, member] of Object.entries(value)) {
    switch (key) {
      case 'type':
      case 'id':
      case 'timestamp':
        if (typeof member !== 'string') report(key, 'Must be a string.', 'wrong_type')
        break
      case 'data':
      case 'metadata':
        if (!isObject(member)) report(key, 'Must be an object.', 'wrong_type')
        break
      default:
        report(key, 'There is no such field.', 'unknown_field')
    }
  }
  if (value.type === undefined) report('type', 'Is required.', 'missing')
  if (value.data === undefined) report('data', 'Is required.', 'missing')
  return problems
}

function listProblems(value: Record<string, unknown>, count: number | null): FieldError[] {
  const problems = Object.keys(value)
    .filter((key) => key !== 'events')
    .map((key) => ({
      param: key.slice(0, apiLimits.quotedNameLengthMax),
      detail: 'There is no such field.',
      code: 'unknown_field',
    }))
  const param = 'events'
  if (!('events' in value)) {
    problems.push({ param, detail: 'Is required.', code: 'missing' })
  } else if (count === null) {
    problems.push({ param, detail: 'Must be a list.', code: 'wrong_type' })
  } else if (count < 1 || count > limits.batchEventsMax) {
    const detail = `Must hold 1 to ${limits.batchEventsMax} events, not ${count}.`
    problems.push({ param, detail, code: count < 1 ? 'too_few' : 'too_many' })
  }
  return problems
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
