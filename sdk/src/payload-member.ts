/** A member of a parsed body; undefined where the body is no object or has none of that name. */
export function payloadMember(payload: unknown, name: string): unknown {
  if (typeof payload !== 'object' || payload === null || !Object.hasOwn(payload, name)) return
  return (payload as Record<string, unknown>)[name]
}

/** The same where only text is of use; null for anything else. */
export function payloadText(payload: unknown, name: string): string | null {
  const value = payloadMember(payload, name)
  return typeof value === 'string' ? value : null
}
