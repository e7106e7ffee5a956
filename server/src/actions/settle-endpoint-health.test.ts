import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFleet } from '../../test/support/fleet.ts'
import { type EndpointOutcome, settleEndpointHealth } from './settle-endpoint-health.ts'

for (const [name, batchSize] of [
  ['one by one', 1],
  ['in one batch', 4],
] as const) {
  test(`three refusals in an open window hold it although a success follows, recorded ${name}`, async () => {
    await using subject = await createSubject()
    await subject.record([204], 1)
    await subject.rotate()
    await subject.record([401, 403, 401, 204], batchSize)
    const rotation = await subject.rotation()
    assert.ok(rotation.heldAt !== null)
    const [note] = rotation.notes.filter(({ what }) => what === 'held')
    assert.match(note?.detail ?? '', /^3 deliveries in a row were answered with 401 or 403 since /)
    const endpoint = await subject.endpoint()
    assert.deepEqual([endpoint?.rejectionsInARow, endpoint?.health], [0, 'healthy'])
  })
}

test('a run of refusals that began before the window holds nothing, though it ends inside', async () => {
  await using subject = await createSubject()
  await subject.record([204, 401, 401], 3)
  await subject.rotate()
  await subject.record([401, 204, 401, 401, 204], 5)
  assert.equal((await subject.rotation()).heldAt, null)
})

/** An endpoint whose results are recorded by hand, a second apart. */
async function createSubject() {
  const fleet = await createFleet()
  const [[project, [id = '']] = ['', []]] = await fleet.add({ projects: 1, endpointsEach: 1 })
  const outcomeOf = (statusCode: number): EndpointOutcome => {
    fleet.clock.advance(1_000)
    const succeeded = statusCode === 204
    const rest = { exhausted: false, gone: false, reportedSecretId: null }
    return { succeeded, statusCode, at: fleet.clock.now(), ...rest }
  }
  return {
    [Symbol.asyncDispose]: () => fleet[Symbol.asyncDispose](),
    async record(statusCodes: readonly number[], batchSize: number) {
      const outcomes = statusCodes.map(outcomeOf)
      for (let at = 0; at < outcomes.length; at += batchSize) {
        const batch = outcomes.slice(at, at + batchSize)
        const context = fleet.context()
        await context.transact((tx) => settleEndpointHealth(tx, context, id, batch))
      }
    },
    async rotate() {
      const path = `/v1/projects/${project}/endpoints/${id}/secret/rotate`
      const rotated = await fleet.call('POST', path, { body: { expire_current_in: 3_600 } })
      assert.equal(rotated.status, 200, rotated.text)
    },
    rotation: async () => (await fleet.storage.latestRotation(id)) ?? assert.fail(),
    endpoint: () => fleet.storage.getEndpointById(id),
  }
}
