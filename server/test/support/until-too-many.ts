import { isOnPostgres } from './test-database.ts'

/**
 * What is answered to one request too many, of a limit that gives one back in a second and has been
 * used up since `since` (of `performance.now`). Where several nodes share it, it is counted by the
 * clock of the database, which goes on while a slow machine asks: as many as have come back since are
 * asked for first, and not one more.
 */
export async function untilTooMany<R extends { status: number }>(
  since: number,
  send: () => Promise<R>,
): Promise<R> {
  for (let count = 1; ; count += 1) {
    const reply = await send()
    const comeBack = isOnPostgres ? Math.floor((performance.now() - since) / 1_000) : 0
    if (reply.status === 429 || count > comeBack) return reply
  }
}
