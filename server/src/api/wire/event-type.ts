import type { Static } from 'typebox'
import type { EventTypeDefinition } from '../../core/event-type-definition.ts'
import { limits } from '../../core/limits.ts'
import { nullable, oneOf, time } from './fields.ts'
import { wireTime } from './time.ts'
import { Type } from './type.ts'

const schemaField = Type.Unsafe<Record<string, unknown> | null>({
  type: ['object', 'null'],
  additionalProperties: true,
  description: `JSON Schema (2020-12, 2019-09, draft-07 or draft-06 by its \`$schema\`) that \`data\` must fit; at most ${limits.eventSchemaBytesMax} bytes. Null: any object.`,
})

export const EventTypeSchema = Type.Object(
  {
    name: Type.String(),
    description: nullable(Type.String()),
    schema: schemaField,
    deprecated: Type.Boolean(),
    defined_in: oneOf(['catalog', 'project'], 'Where this definition stands.'),
    created_at: time(),
    updated_at: time(),
  },
  {
    $id: 'EventType',
    additionalProperties: false,
    description: "An event type: in the instance's catalogue, or over it in one project.",
  },
)

export const DefineEventTypeSchema = Type.Object(
  {
    description: Type.Optional(nullable(Type.String({ maxLength: limits.descriptionLengthMax }))),
    schema: Type.Optional(schemaField),
    deprecated: Type.Optional(Type.Boolean({ default: false })),
  },
  {
    $id: 'DefineEventType',
    additionalProperties: false,
    description: 'The whole definition: what is absent has its default.',
  },
)

export function presentEventType(definition: EventTypeDefinition): Static<typeof EventTypeSchema> {
  const { name, description, schema, isDeprecated, projectId } = definition
  return {
    name,
    description,
    schema: schema === null ? null : (JSON.parse(schema) as Record<string, unknown>),
    deprecated: isDeprecated,
    defined_in: projectId === null ? 'catalog' : 'project',
    created_at: wireTime(definition.createdAt),
    updated_at: wireTime(definition.updatedAt),
  }
}
