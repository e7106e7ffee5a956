import { createComposioFormat } from './composio-format.ts'
import { composioTriggerOf } from './composio-trigger.ts'

/** Composio's V1, for receivers that have never moved on (dialects.md 2.5). */
export const composioV1 = createComposioFormat({
  name: 'composio-v1',
  version: 'V1',
  // This version knows triggers only: a receiver would take the probe for one that fired.
  probeType: null,

  body(event) {
    const { slug, connectionId, triggerId, logId } = composioTriggerOf(event)
    return `{"trigger_name":${JSON.stringify(slug)},"connection_id":${JSON.stringify(connectionId)},"trigger_id":${JSON.stringify(triggerId)},"payload":${event.data},"log_id":${JSON.stringify(logId)}}`
  },
})
