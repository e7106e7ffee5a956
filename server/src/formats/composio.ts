import { createComposioFormat } from './composio-format.ts'
import { utcTextOf } from './event-time.ts'

/** Composio's V3 (dialects.md 2.4, 2.5), which new subscriptions get. */
export const composio = createComposioFormat({
  name: 'composio',
  version: 'V3',
  // Its SDK throws on a type that does not begin so, even when the signature is right.
  probeType: 'composio.countersign.probe',

  body({ id, type, timestamp, metadata, data }) {
    return `{"id":${JSON.stringify(id)},"timestamp":${JSON.stringify(utcTextOf(timestamp))},"type":${JSON.stringify(type)},"metadata":${metadata},"data":${data}}`
  },
})
