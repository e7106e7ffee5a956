import type { Command } from 'commander'
import type { CommandContext } from '../command-context.ts'
import { jsonObject, option } from '../options.ts'
import { clientCommand } from './client-command.ts'

/** `countersign trigger <event-type>`: an event as its schema has it, to see what receivers do. */
export function triggerCommand(context: CommandContext): Command {
  return clientCommand<{ data?: Record<string, unknown> }>(context, {
    name: 'trigger',
    description: 'publish an example of an event type, made from its schema where it has one',
    args: { '<event-type>': 'such as order.paid' },
    options: [option('--data <json>', 'members over those of the example', jsonObject)],
    examples: [
      ['countersign trigger order.paid'],
      [`countersign trigger order.paid --data '{"total":4200}'`],
    ],
    async run({ client, project, output }, [type = ''], { data }) {
      const schema = await schemaOf(() => client.eventTypes.get(project, type))
      const example = exampleOf(schema ?? { type: 'object' }, 0)
      const made = typeof example === 'object' && example !== null ? example : {}
      output.show(await client.events.publish(project, { type, data: { ...made, ...data } }))
    },
  })
}

type Schema = Record<string, unknown>

/** Null where the type is not defined, or without a schema. */
async function schemaOf(get: () => Promise<{ schema: Schema | null }>): Promise<Schema | null> {
  try {
    return (await get()).schema
  } catch (error) {
    if ((error as { code?: string }).code === 'not_found') return null
    throw error
  }
}

/** A value that fits the schema in most cases; where it does not, the server says what is wrong. */
function exampleOf(schema: Schema, depth: number): unknown {
  const { type, properties, items, required } = schema
  if ('const' in schema) return schema.const
  if ('default' in schema) return schema.default
  if (Array.isArray(schema.examples) && schema.examples.length > 0) return schema.examples[0]
  if (Array.isArray(schema.enum)) return schema.enum[0]
  if (depth > depthMax) return null
  switch (Array.isArray(type) ? type[0] : type) {
    case 'string':
      return textOf(schema)
    case 'integer':
    case 'number':
      return typeof schema.minimum === 'number' ? schema.minimum : 1
    case 'boolean':
      return true
    case 'null':
      return null
    case 'array':
      return isSchema(items) && schema.minItems !== undefined ? [exampleOf(items, depth + 1)] : []
    default: {
      const known = isSchema(properties) ? properties : {}
      const names = new Set([...Object.keys(known), ...(Array.isArray(required) ? required : [])])
      return Object.fromEntries(
        [...names].map((name) => {
          const member = known[name]
          return [name, isSchema(member) ? exampleOf(member, depth + 1) : 'example']
        }),
      )
    }
  }
}

const depthMax = 8
const formats: Readonly<Record<string, string>> = {
  'date-time': '2026-01-01T00:00:00Z',
  date: '2026-01-01',
  email: 'jo@example.com',
  uri: 'https://example.com',
  uuid: '00000000-0000-4000-8000-000000000000',
}

function textOf({ format, minLength }: Schema): string {
  const text = (typeof format === 'string' ? formats[format] : undefined) ?? 'example'
  return typeof minLength === 'number' ? text.padEnd(minLength, '.') : text
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
