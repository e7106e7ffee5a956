/** How deep an example goes: a schema that refers to itself must end somewhere. */
const depthMax = 6

/** Data that shows what a schema describes: its own examples first, then a value of each type. */
export function exampleOf(schema: unknown, depth = 0): unknown {
  if (typeof schema !== 'object' || schema === null || depth > depthMax) return {}
  const {
    examples,
    default: preset,
    const: fixed,
    enum: values,
    type,
    properties,
    items,
    format,
  } = schema as Record<string, unknown>
  if (Array.isArray(examples) && examples.length > 0) return examples[0]
  if (fixed !== undefined) return fixed
  if (preset !== undefined) return preset
  if (Array.isArray(values)) return values[0]
  const first = Array.isArray(type) ? type[0] : type
  if (first === 'array') return items === undefined ? [] : [exampleOf(items, depth + 1)]
  if (first === 'object' || properties !== undefined) {
    const members = Object.entries((properties ?? {}) as Record<string, unknown>)
    return Object.fromEntries(members.map(([name, member]) => [name, exampleOf(member, depth + 1)]))
  }
  if (first === 'string') return format === 'date-time' ? '2026-01-31T12:00:00Z' : 'text'
  if (first === 'integer' || first === 'number') return 1
  return first === 'boolean' ? true : null
}
