import type { FormatEvent } from './format.ts'

/** What V1 and V2 of Composio's webhooks say about the trigger of an event. */
export interface ComposioTrigger {
  slug: string
  logId: string
  connectionId: string | null
  connectionNanoId: string | null
  triggerId: string | null
  triggerNanoId: string | null
  userId: string | null
}

/**
 * Reads the trigger from the event's metadata, whose members V3 names (dialects.md 2.5). V3 has one
 * id where V2 has two, so it stands for both unless the publisher gives the other.
 */
export function composioTriggerOf(event: FormatEvent): ComposioTrigger {
  const metadata: Record<string, unknown> = JSON.parse(event.metadata)
  const textOf = (name: string) => {
    const value = metadata[name]
    return typeof value === 'string' ? value : null
  }
  const connectionId = textOf('connected_account_id')
  const triggerId = textOf('trigger_id')
  return {
    slug: textOf('trigger_slug') ?? event.type,
    logId: textOf('log_id') ?? event.id,
    connectionId: textOf('connection_id') ?? connectionId,
    connectionNanoId: textOf('connection_nano_id') ?? connectionId,
    triggerId,
    triggerNanoId: textOf('trigger_nano_id') ?? triggerId,
    userId: textOf('user_id'),
  }
}
