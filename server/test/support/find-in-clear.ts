/** A value that nobody may find, and what it is, for the message. */
export interface Hidden {
  what: string
  value: string
}

/** Every form in which a value could stand somewhere in clear, by the name of the form. */
export function formsOf({ value }: Hidden): Map<string, Buffer> {
  const encoded = value.replace(/^whs(?:ec|k)_/, '')
  const text = Buffer.from(value)
  const forms = new Map<string, Buffer>([
    ['as it is', Buffer.from(encoded)],
    ['its text in base64', Buffer.from(text.toString('base64').replace(/=+$/, '').slice(0, -1))],
    ['its text in hex', Buffer.from(text.toString('hex'))],
  ])
  const bytes = Buffer.from(encoded, 'base64')
  // Only what is base64 to the last character stands for bytes.
  if (bytes.length < 16 || bytes.toString('base64') !== encoded) return forms
  forms.set('its bytes', bytes)
  forms.set('its bytes in hex', Buffer.from(bytes.toString('hex')))
  forms.set('its bytes in capital hex', Buffer.from(bytes.toString('hex').toUpperCase()))
  forms.set('its bytes in base64url', Buffer.from(bytes.toString('base64url')))
  forms.set('its bytes in base64 without padding', Buffer.from(encoded.replace(/=+$/, '')))
  return forms
}

/** Where hidden values stand in clear, as sentences; none, where all is well. */
export function findInClear(
  hidden: readonly Hidden[],
  places: ReadonlyMap<string, Buffer | string>,
): string[] {
  const found: string[] = []
  for (const [place, content] of places) {
    const bytes = Buffer.from(content as string)
    for (const item of hidden) {
      for (const [form, needle] of formsOf(item)) {
        if (bytes.includes(needle)) found.push(`${place} holds ${item.what}, ${form}`)
      }
    }
  }
  return found
}
