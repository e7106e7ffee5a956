import { startTestApp } from './support/start-test-app.ts'
import { startReceiver } from './support/receiver.ts'
import { until } from './support/until.ts'
const server = await startTestApp({environment: { COUNTERSIGN_RETRY_SCHEDULE: '1h,1h' }})
const receiver = await startReceiver()
const { client } = server
const project = (await client.projects.create({ name: 'x' })).id
const go = async (n: number) => {
const e = await client.endpoints.create(project, { url: receiver.url })
receiver.answer = () => ({ statusCode: 500 })
const ev = await client.events.publish(project, { type: 'a.b', data: {} })
const delivery = async () => (await client.deliveries.list(project, { event: ev.id, endpoint: e.id }).page()).data[0]
await until('recorded', async () => (await delivery())?.attemptCount === 1)
const d = await delivery()
console.log(n, d)
receiver.answer = () => ({ statusCode: 204 })
const before = receiver.received.length
await client.deliveries.retry(project, d!.id)
try { await until('retry', () => receiver.received.length > before, 3000); console.log('ok') } catch (e) { console.log(String(e), await delivery(), new Date(server.clock.now())) }
await client.endpoints.delete(project, e.id)
}
await go(1)
server.clock.adjust(200*3600_000)
await go(2)
server.clock.adjust()
await go(3)
await receiver.close()
await server.dispose()
