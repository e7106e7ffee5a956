import { composio } from './composio.ts'
import { composioV1 } from './composio-v1.ts'
import { composioV2 } from './composio-v2.ts'
import { devtune } from './devtune.ts'
import { dinie } from './dinie.ts'
import type { Format } from './format.ts'
import { github } from './github.ts'
import { hCompany } from './h-company.ts'
import { mobilerun } from './mobilerun.ts'
import { standard } from './standard.ts'
import { stripe } from './stripe.ts'

/** Every format an endpoint can have, by name. */
export const formats: Readonly<Record<string, Format>> = {
  [standard.name]: standard,
  [mobilerun.name]: mobilerun,
  [composio.name]: composio,
  [composioV2.name]: composioV2,
  [composioV1.name]: composioV1,
  [hCompany.name]: hCompany,
  [devtune.name]: devtune,
  [dinie.name]: dinie,
  [stripe.name]: stripe,
  [github.name]: github,
}

export const formatNames: readonly string[] = Object.keys(formats)

/** The format of a stored endpoint. Its name was checked when it was stored. */
export function formatOf(name: string): Format {
  const format = formats[name]
  if (format === undefined) throw new Error(`There is no format ${name}.`)
  return format
}
