import { acceptanceChecks } from './acceptance-checks.ts'
import type { Check, CheckResult, Subject } from './check.ts'
import { refusalChecks } from './refusal-checks.ts'
import { rotationChecks } from './rotation-checks.ts'

/** Each check, in the order of the report card. */
export const checks: readonly Check[] = [...acceptanceChecks, ...refusalChecks, ...rotationChecks]

/**
 * Tries a receiver. Where it takes no good delivery nothing else can be told, so the checks that
 * rest on one are left out.
 */
export async function runDrill(
  subject: Subject,
  onResult: (result: CheckResult, done: number) => void,
): Promise<CheckResult[]> {
  const results: CheckResult[] = []
  let takesGood = true
  for (const { name, run } of checks) {
    const found = takesGood
      ? await run(subject)
      : ({ verdict: 'unchecked', detail: 'It takes no good delivery.' } as const)
    if (results.length === 0 && found.verdict === 'fail') takesGood = false
    const result = { name, ...found }
    results.push(result)
    onResult(result, results.length)
  }
  return results
}
