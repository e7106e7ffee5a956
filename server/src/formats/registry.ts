import type { Format } from './format.ts'
import { standard } from './standard.ts'

/** Every format an endpoint can have, by name. */
export const formats: Readonly<Record<string, Format>> = { [standard.name]: standard }

export const formatNames: readonly string[] = Object.keys(formats)

/** The format of a stored endpoint. Its name was checked when it was stored. */
export function formatOf(name: string): Format {
  const format = formats[name]
  if (format === undefined) throw new Error(`There is no format ${name}.`)
  return format
}
