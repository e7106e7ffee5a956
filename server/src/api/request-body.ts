import type { Static, TSchema } from 'typebox'
import type { ActionParts, ActionSettings } from '../actions/action-context.ts'
import { AppError, type FieldError, invalidField, invalidFields } from '../core/errors.ts'
import { type Envelope, readEnvelope, type ScanFailure } from '../core/json-scanner.ts'
import { limits } from '../core/limits.ts'
import { mergeFieldErrors, type SchemaCompiler } from './validation.ts'
import { Type } from './wire/type.ts'

/** What a route takes as its body, and how it is read. */
export interface RequestBody<T> {
  schema: TSchema
  /** How it must be sent; JSON where absent. */
  mediaType?: 'form'
  /** Bodies that are longer are refused with 413. */
  bytesMax(settings: ActionSettings): number
  /** Called once; the answer reads one body. No bytes at all: the body is absent. */
  prepare(schemas: SchemaCompiler, parts: ActionParts): (bytes: Uint8Array) => T
}

/**
 * A JSON object that fits the schema. Where it does not, `check` still looks at the fields that have
 * the right type, so that all field errors are answered at once; where it does, the action checks.
 */
export function jsonBody<T extends TSchema>(
  schema: T,
  check: (body: unknown, parts: ActionParts) => FieldError[] = () => [],
): RequestBody<Static<T>> {
  return {
    schema,
    bytesMax: () => limits.requestBodyBytesMax,
    prepare(schemas, parts) {
      const problemsOf = schemas.forBody(schema)
      return (bytes) => {
        const { value } = readObject(bytes)
        const problems = problemsOf(value)
        if (problems.length > 0) {
          throw invalidFields(mergeFieldErrors(problems, check(value, parts)))
        }
        return value as Static<T>
      }
    },
  }
}

/**
 * A form (`application/x-www-form-urlencoded`) that fits the schema; every value is a text, and of
 * fields given twice the first counts.
 */
export function formBody<T extends TSchema>(schema: T): RequestBody<Static<T>> {
  return {
    schema,
    mediaType: 'form',
    bytesMax: () => limits.requestBodyBytesMax,
    prepare(schemas) {
      const problemsOf = schemas.forBody(schema)
      return (bytes) => {
        const form = new URLSearchParams(Buffer.from(bytes).toString('utf8'))
        const value = Object.fromEntries([...form.entries()].reverse())
        const problems = problemsOf(value)
        if (problems.length > 0) throw invalidFields(problems)
        return value as Static<T>
      }
    },
  }
}

/** The body of a verb that takes nothing: absent, or an empty object. */
export const emptyBody = jsonBody(Type.Object({}, { $id: 'Nothing', additionalProperties: false }))

/** The JSON object that a body consists of; an absent body counts as an empty one. */
export function readObject(bytes: Uint8Array, rawMembers: readonly string[] = []): Envelope {
  if (bytes.length === 0) return { ok: true, text: '', value: {}, members: new Map() }
  const envelope = readEnvelope(bytes, { depthMax: limits.jsonDepthMax, rawMembers })
  if (!envelope.ok) throw scanRefusal(envelope)
  return envelope
}

/** The source of a member, byte for byte; undefined where it is absent. */
export function sourceOf({ text, members }: Pick<Envelope, 'text' | 'members'>, key: string) {
  const span = members.get(key)
  return span === undefined ? undefined : text.slice(span.start, span.end)
}

/** 422 for JSON of another type than an object; 400 for what is not acceptable JSON at all. */
export function scanRefusal(failure: ScanFailure): AppError {
  if (failure.isOtherType) return invalidField('body', 'Must be an object.', 'wrong_type')
  if (failure.isNoText) return invalidField('body', failure.detail, 'not_text')
  return new AppError('invalid_json', {
    detail: `${failure.detail} (at character ${failure.position + 1})`,
  })
}
