import { requireRoot, requireScope } from '../core/authorization.ts'
import { invalidField } from '../core/errors.ts'
import { isEventType, isReservedEventType } from '../core/event-type.ts'
import type { EventTypeDefinition } from '../core/event-type-definition.ts'
import { limits } from '../core/limits.ts'
import type { ActionContext } from './action-context.ts'
import { loadProject } from './load.ts'
import { recordAudit } from './record-audit.ts'

export interface DefineEventTypeInput {
  description?: string | null | undefined
  /** JSON Schema as text; null: data is not checked. */
  schema?: string | null | undefined
  isDeprecated?: boolean | undefined
}

/**
 * Defines an event type, or replaces its definition: in one project, or for `projectId` null in the
 * catalogue of all.
 */
export async function defineEventType(
  context: ActionContext,
  projectId: string | null,
  name: string,
  input: DefineEventTypeInput,
): Promise<EventTypeDefinition> {
  if (projectId === null) requireRoot(context.principal)
  else requireScope(context.principal, projectId, 'webhooks.write')
  refuseBadName(name)
  const schema = input.schema ?? null
  if (schema !== null) await refuseBadSchema(context, projectId ?? '', schema)
  return context.transact(async (tx) => {
    if (projectId !== null) await loadProject(tx, projectId)
    const now = context.clock.now()
    const before = await tx.getEventType(projectId, name)
    const definition: EventTypeDefinition = {
      projectId,
      name,
      description: input.description ?? null,
      schema,
      isDeprecated: input.isDeprecated ?? false,
      createdAt: before?.createdAt ?? now,
      updatedAt: now,
    }
    await tx.putEventType(definition)
    await recordAudit(tx, context, {
      projectId,
      action: 'event_type.defined',
      target: { type: 'event_type', id: name },
      details: { has_schema: schema !== null, deprecated: definition.isDeprecated },
    })
    return definition
  })
}

function refuseBadName(name: string): void {
  if (!isEventType(name)) {
    throw invalidField(
      'name',
      'Must be dot-separated words of letters, digits, _ and -, at most 256 characters.',
    )
  }
  if (isReservedEventType(name)) {
    throw invalidField('name', 'The prefixes endpoint. and countersign. are reserved.', 'reserved')
  }
}

async function refuseBadSchema(
  { eventSchemas }: ActionContext,
  projectId: string,
  schema: string,
): Promise<void> {
  const bytes = Buffer.byteLength(schema)
  const problem =
    bytes > limits.eventSchemaBytesMax
      ? `Must take at most ${limits.eventSchemaBytesMax} bytes, not ${bytes}.`
      : await eventSchemas.problemOf(projectId, schema)
  if (problem !== null) throw invalidField('schema', problem, 'invalid_schema')
}
