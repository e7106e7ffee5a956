import assert from 'node:assert/strict'
import { createServer, request as requestOf } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { Countersign } from '@countersign/sdk'
import { startTestApp } from './support/start-test-app.ts'

test('a rotate whose answer is cut off is tried again by the SDK, and yields the same secret', async (t) => {
  const server = await startTestApp()
  t.after(() => server.dispose())
  const door = await startCuttingDoor(server.app.url)
  t.after(() => door.close())
  const { id: project } = await server.client.projects.create({ name: 'A project' })
  const url = 'http://127.0.0.1:9/'
  const { id: endpoint } = await server.client.endpoints.create(project, { url })

  const client = new Countersign({ baseUrl: door.url, apiKey: server.rootKey })
  const rotated = await client.endpoints.rotateSecret(project, endpoint, { expireCurrentIn: 60 })
  assert.equal(door.answers.length, 2, 'the first answer was cut off, the second came')
  const [cut, whole] = door.answers
  assert.equal(cut?.status, 200)
  assert.equal(JSON.parse(cut?.text ?? '').secret, rotated.secret)
  assert.equal(whole?.text, cut?.text, 'it is the same answer, byte for byte')
  const { data } = await server.client.rotations.list(project, endpoint).page()
  assert.deepEqual(
    data.map(({ id }) => id),
    [rotated.rotation.id],
    'the secret was rotated once',
  )
})

/** Passes requests on, and cuts off the first answer once the server has given it whole. */
async function startCuttingDoor(target: string) {
  const answers: { status: number; text: string }[] = []
  const door = createServer((incoming, outgoing) => {
    const { method, headers, url } = incoming
    const onward = requestOf(new URL(url ?? '/', target), { method, headers }, async (answer) => {
      const text = (await answer.setEncoding('utf8').toArray()).join('')
      answers.push({ status: answer.statusCode ?? 0, text })
      if (answers.length === 1) incoming.socket.destroy()
      else outgoing.writeHead(answer.statusCode ?? 0, answer.headers).end(text)
    })
    incoming.pipe(onward)
  })
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(door.address() as AddressInfo).port}`,
    answers,
    close() {
      door.closeAllConnections()
      door.close()
    },
  }
}
