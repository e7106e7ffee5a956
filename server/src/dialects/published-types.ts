import type { ActionContext } from '../actions/action-context.ts'
import { effectiveEventType } from '../actions/effective-event-type.ts'
import type { FieldError } from '../core/errors.ts'
import { compileFilter } from '../core/event-filter.ts'
import { isReservedEventType } from '../core/event-type.ts'

/** A field error under `event_types` for each entry that is neither published nor in the catalogue. */
export async function unknownTypeProblems(
  { storage }: Pick<ActionContext, 'storage'>,
  projectId: string,
  eventTypes: readonly string[],
  published: readonly string[],
): Promise<FieldError[]> {
  const problems: FieldError[] = []
  for (const [index, type] of eventTypes.entries()) {
    if (published.includes(type)) continue
    const isKnown =
      !isReservedEventType(type) && (await effectiveEventType(storage, projectId, type)) !== null
    if (isKnown) continue
    problems.push({
      param: `event_types.${index}`,
      detail: `Must be one of: ${published.join(', ')}; or a type of the project's catalogue.`,
      code: 'unknown_event_type',
    })
  }
  return problems
}

/** More than anyone reads in one answer. */
const cataloguedTypesMax = 1_000

/**
 * The event types of the project's catalogue and the instance's that can be subscribed to, by name:
 * what the lists of event types show beside the published ones (dialects.md, A8).
 */
export async function cataloguedTypes(
  { storage }: Pick<ActionContext, 'storage'>,
  projectId: string,
  published: readonly string[],
): Promise<{ type: string; description: string }[]> {
  const types = new Map<string, string>()
  // The project's own definition stands over the catalogue's, so it is put in last.
  for (const level of [null, projectId]) {
    const page = { limit: cataloguedTypesMax, after: null }
    for (const { name, description, isDeprecated } of (await storage.listEventTypes(level, page))
      .items) {
      if (isDeprecated || published.includes(name)) types.delete(name)
      else types.set(name, description ?? '')
    }
  }
  return [...types].map(([type, description]) => ({ type, description })).sort(byType)
}

function byType(a: { type: string }, b: { type: string }): number {
  return a.type < b.type ? -1 : 1
}

/**
 * An endpoint's filter in the words of a system without wildcards: those stand for the published
 * types that they match, and exact types for themselves.
 */
export function withoutWildcards(
  eventTypes: readonly string[],
  published: readonly string[],
): string[] {
  const filters = eventTypes.length === 0 ? ['*'] : eventTypes
  const shown = filters.flatMap((filter) =>
    filter.endsWith('*') ? published.filter(compileFilter([filter])) : [filter],
  )
  return [...new Set(shown)]
}
