import { StartError } from '../start-error.ts'

/** One sentence where the operator can do something; else everything, because then it is a bug. */
export function describeFailure(error: unknown): string {
  if (error instanceof StartError) return error.message
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return `Something went wrong that should not: ${text}`
}
