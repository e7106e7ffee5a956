import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestApi, type TestProject } from './support/test-api.ts'

test('a batch whose checks take for ever does not hold up what another project publishes', async () => {
  await using server = await createTestApi()
  const slow = await server.addProject()
  const other = await server.addProject()
  const define = async (project: TestProject, type: string, schema: object) => {
    const path = `${project.path}/event-types/${type}`
    const reply = await server.call('PUT', path, { key: project.key, body: { schema } })
    assert.equal(reply.status, 200, reply.text)
  }
  // Each of a type of its own: what was learned of one schema tells nothing about the next.
  const types = Array.from({ length: 2 }, (_, index) => `slow.n${index}`)
  for (const type of types) {
    await define(slow, type, { title: type, properties: { text: { pattern: '^(a+)+$' } } })
  }
  await define(other, 'order.paid', { required: ['order'] })
  const publishOther = async (data: object) =>
    (
      await server.call('POST', `${other.path}/events`, {
        key: other.key,
        body: { type: 'order.paid', data },
      })
    ).status
  assert.equal(await publishOther({ order: 1 }), 202)

  const data = { text: `${'a'.repeat(60)}!` }
  let isSlowAnswered = false
  const batch = server
    .call('POST', `${slow.path}/events/batch`, {
      key: slow.key,
      body: { events: types.map((type) => ({ type, data })) },
    })
    .finally(() => {
      isSlowAnswered = true
    })
  for (let round = 0; round < 5; round += 1) {
    assert.equal(await publishOther({ order: round }), 202)
    assert.equal(await publishOther({}), 422)
    assert.equal(isSlowAnswered, false)
  }

  const { status, body } = await batch
  assert.equal(status, 202)
  for (const one of body.data) {
    assert.equal(one.status, 422)
    assert.equal(one.error.errors[0].code, 'schema_too_costly')
  }
})
