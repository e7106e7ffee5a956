import { ApiError, ConnectionError, TimeoutError } from '@countersign/sdk'

/** What happened, in one or two sentences for whoever sits in front of it. */
export function describeError(error: unknown): string {
  if (error instanceof TimeoutError) return 'The server is too slow: it did not answer in time.'
  if (error instanceof ConnectionError) return 'The server cannot be reached.'
  if (error instanceof ApiError) {
    if (error.status === 403) return 'This key may not do or see this.'
    const fields = error.errors.map(({ param, detail }) => `${param}: ${detail}`)
    if (fields.length > 0) return fields.join(' ')
    return error.detail ?? error.title
  }
  return error instanceof Error ? error.message : String(error)
}

/** Whether the server, and not the request, is what is wrong. */
export function isServerTrouble(error: unknown): boolean {
  return error instanceof ConnectionError || (error instanceof ApiError && error.status >= 500)
}

/** Whether the server says that this is not there, or not for this key. */
export function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 404 || error.status === 403)
}
