import assert from 'node:assert/strict'
import { beginScan, eachMember, skipValue } from '../core/json-syntax.ts'
import { limits } from '../core/limits.ts'
import { createComposioFormat } from './composio-format.ts'
import { type ComposioTrigger, composioTriggerOf } from './composio-trigger.ts'
import { utcTextOf } from './event-time.ts'

/** Composio's V2, which mixes the event's fields with the trigger's ids (dialects.md 2.5). */
export const composioV2 = createComposioFormat({
  name: 'composio-v2',
  version: 'V2',
  // This version knows triggers only: a receiver would take the probe for one that fired.
  probeType: null,

  body(event) {
    const trigger = composioTriggerOf(event)
    return `{"type":${JSON.stringify(trigger.slug.toLowerCase())},"timestamp":${JSON.stringify(utcTextOf(event.timestamp))},"log_id":${JSON.stringify(trigger.logId)},"data":${withTrigger(event.data, trigger)}}`
  },
})

/**
 * The trigger's ids, then the members of `data` as they stand in its text. What the publisher calls
 * by the same name takes the id's place: no parser agrees with another on which of two keys counts.
 */
function withTrigger(data: string, trigger: ComposioTrigger): string {
  const taken = keysOf(data)
  const members = [
    ...memberUnless(taken, 'connection_id', trigger.connectionId),
    ...memberUnless(taken, 'connection_nano_id', trigger.connectionNanoId),
    ...memberUnless(taken, 'trigger_nano_id', trigger.triggerNanoId),
    ...memberUnless(taken, 'trigger_id', trigger.triggerId),
    ...memberUnless(taken, 'user_id', trigger.userId),
  ]
  if (members.length === 0) return data
  const separator = taken.size === 0 ? '' : ','
  return `{${members.join(',')}${separator}${data.slice(1)}`
}

function keysOf(data: string): ReadonlySet<string> {
  const keys = new Set<string>()
  const scan = beginScan(data, data.length)
  const end = eachMember(scan, 0, (key, _keyAt, valueAt) => {
    keys.add(key)
    return skipValue(scan, valueAt, limits.jsonDepthMax)
  })
  assert(end === data.length, 'the text of data is one object')
  return keys
}

function memberUnless(taken: ReadonlySet<string>, name: string, value: string | null): string[] {
  return taken.has(name) ? [] : [`"${name}":${JSON.stringify(value)}`]
}
