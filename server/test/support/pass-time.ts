import type { Storage } from '../../src/storage/storage.ts'
import type { TestApp } from './start-test-app.ts'
import { until } from './until.ts'

/**
 * Moves the server's clock ahead and wakes what sleeps until then; resolves when everything that
 * time has brought is announced. Timers know nothing of the clock, but a commit that brings
 * something to announce makes the announcer look again: here the rotation of an endpoint that is
 * made for it, in a project of its own.
 */
export async function passTime(
  server: Pick<TestApp, 'client' | 'clock'>,
  storage: Pick<Storage, 'nextAnnouncementAt'>,
  ms: number,
): Promise<void> {
  server.clock.adjust(ms)
  const { id: project } = await server.client.projects.create({ name: 'the passing of time' })
  const { id } = await server.client.endpoints.create(project, {
    url: 'http://127.0.0.1:9/nobody',
  })
  await server.client.endpoints.rotateSecret(project, id, { expireCurrentIn: 60 })
  await until('everything is announced', async () => {
    const nextAt = await storage.nextAnnouncementAt()
    return nextAt === null || nextAt > server.clock.now()
  })
}
