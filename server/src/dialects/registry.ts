import type { DialectApi } from '../api/surface.ts'
import { type DialectName, dialectNames } from '../core/dialect.ts'
import { composio } from './composio/composio.ts'
import { devtune } from './devtune/devtune.ts'
import { dinie } from './dinie/dinie.ts'
import { hCompany } from './h-company/h-company.ts'
import { mobilerun } from './mobilerun/mobilerun.ts'

/** The API of every system, by its name; a system that changed its mind has one for each version. */
const dialects: Partial<Record<DialectName, readonly DialectApi[]>> = {
  mobilerun: [mobilerun],
  composio,
  'h-company': [hCompany],
  devtune: [devtune],
  dinie,
}

/** The APIs of the systems with these names. */
export function dialectApis(names: readonly DialectName[] = dialectNames): DialectApi[] {
  return names.flatMap((name) => dialects[name] ?? [])
}
