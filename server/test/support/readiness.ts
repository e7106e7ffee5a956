import assert from 'node:assert/strict'
import { ApiError } from '@countersign/sdk'
import { until } from './until.ts'

/** What a load balancer sees. */
export interface Readiness {
  status: number
  code: string | null
  retryAfter: string | null
}

export async function readReadiness(url: string): Promise<Readiness> {
  const answer = await fetch(`${url}/readyz`)
  const { code = null } = (await answer.json()) as { code?: string }
  return { status: answer.status, code, retryAfter: answer.headers.get('retry-after') }
}

/** What it sees while the store cannot be written. */
export const notReady: Readiness = { status: 503, code: 'storage_unavailable', retryAfter: '5' }

export function untilReady(url: string): Promise<void> {
  return until('the server is ready', async () => (await readReadiness(url)).status === 200)
}

/** What a caller gets meanwhile; for `assert.rejects`. */
export function isUnavailable(error: unknown): boolean {
  assert.ok(error instanceof ApiError, String(error))
  assert.deepEqual([error.status, error.code], [503, 'storage_unavailable'])
  assert.equal(error.retryAfterMs, 5_000)
  return true
}
