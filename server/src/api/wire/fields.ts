import type { Static, TSchema, TUnsafe } from 'typebox'
import { Type } from './type.ts'

/** Where the OpenAPI document keeps what has a name; the validator finds it under the same path. */
export const componentsPath = '#/components/schemas/'

/** A reference to a named schema, with its type. */
export function ref<T extends TSchema>(schema: T): TUnsafe<Static<T>> {
  return Type.Unsafe<Static<T>>({ $ref: componentsPath + nameOf(schema) })
}

export function nullableRef<T extends TSchema>(schema: T): TUnsafe<Static<T> | null> {
  return Type.Unsafe<Static<T> | null>({ anyOf: [ref(schema), { type: 'null' }] })
}

/** The name a schema was given; only named ones can be referred to. */
export function nameOf(schema: TSchema): string {
  if (!('$id' in schema) || typeof schema.$id !== 'string')
    throw new Error('A schema lacks a name.')
  return schema.$id
}

/** The schema, or null: as a list of types, which makes for one clear error where neither fits. */
export function nullable<T extends TSchema>(schema: T): TUnsafe<Static<T> | null> {
  const plain = schema as { type?: unknown; enum?: readonly unknown[] }
  return Type.Unsafe<Static<T> | null>({
    ...schema,
    type: [plain.type, 'null'],
    ...(plain.enum === undefined ? {} : { enum: [...plain.enum, null] }),
  })
}

export function oneOf<const T extends readonly string[]>(
  values: T,
  description?: string,
): TUnsafe<T[number]> {
  return Type.Unsafe<T[number]>({
    type: 'string',
    enum: [...values],
    ...(description === undefined ? {} : { description }),
  })
}

/** A text of at least one character. */
export function text(lengthMax: number, description?: string) {
  return Type.String({ minLength: 1, maxLength: lengthMax, ...described(description) })
}

export function time(description?: string) {
  return Type.String({ format: 'date-time', ...described(description) })
}

/** Any JSON object. */
export function anyObject(description?: string): TUnsafe<Record<string, unknown>> {
  return Type.Unsafe<Record<string, unknown>>({
    type: 'object',
    additionalProperties: true,
    ...described(description),
  })
}

/** An object whose members are all texts. */
export function textMap(description?: string): TUnsafe<Record<string, string>> {
  return Type.Unsafe<Record<string, string>>({
    type: 'object',
    additionalProperties: { type: 'string' },
    ...described(description),
  })
}

function described(description: string | undefined) {
  return description === undefined ? {} : { description }
}
