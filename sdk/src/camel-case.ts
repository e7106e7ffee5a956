import { RawJson } from './raw-json.ts'

/**
 * Fields whose insides belong to the caller: their keys are never renamed, in either direction.
 * Lists are unwrapped before conversion, so `data` here is always an event's own.
 */
const opaqueFields: ReadonlySet<string> = new Set([
  ...['data', 'metadata', 'headers', 'details', 'schema'],
])

/**
 * Renames the keys of an answer.
 * @param wire parsed JSON of the server; its depth is that of the API's types.
 */
export function toCamelCase<T>(wire: unknown): T
export function toCamelCase(wire: unknown): unknown {
  if (Array.isArray(wire)) return wire.map((item) => toCamelCase(item))
  if (typeof wire !== 'object' || wire === null) return wire
  // fromEntries defines keys rather than assigning them, so `__proto__` is a key like any other.
  return Object.fromEntries(
    Object.entries(wire).map(([name, value]) => [
      toCamelCaseName(name),
      opaqueFields.has(name) ? value : toCamelCase(value),
    ]),
  )
}

/**
 * Writes a request body as JSON text with snake_case keys. `rawJson` values in opaque fields are
 * written as they are; fields that are `undefined` are left out.
 */
export function encodeBody(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(encodeBody).join(',')}]`
  // Date and whatever else knows its own JSON form goes to JSON.stringify.
  if (typeof value !== 'object' || value === null || 'toJSON' in value) {
    return JSON.stringify(value) ?? 'null'
  }
  const fields: string[] = []
  for (const [name, field] of Object.entries(value)) {
    if (field === undefined) continue
    const text = opaqueFields.has(name) ? encodeOpaque(field) : encodeBody(field)
    fields.push(`${JSON.stringify(toSnakeCaseName(name))}:${text}`)
  }
  return `{${fields.join(',')}}`
}

/** Writes filters as a query string with its `?`, or as '' where there are none. */
export function encodeQuery(query: object): string {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null) continue
    params.set(toSnakeCaseName(name), value instanceof Date ? value.toISOString() : String(value))
  }
  const text = params.toString()
  return text === '' ? '' : `?${text}`
}

function encodeOpaque(value: unknown): string {
  return value instanceof RawJson ? value.text : (JSON.stringify(value) ?? 'null')
}

/** `created_at` → `createdAt` */
export function toCamelCaseName(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

function toSnakeCaseName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
