import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFleet, type Fleet } from '../../test/support/fleet.ts'
import type { ActionContext } from './action-context.ts'
import { announceExpiries } from './announce-expiries.ts'

const onePage = { limit: 100, after: null }

test('a node that comes back with an old list tells nothing twice', async () => {
  await using fleet = await createFleet()
  const { project, endpoint } = await addRotating(fleet)
  fleet.clock.advance(60_000)
  const late = await withListOf(fleet)
  assert.equal(await announceExpiries(fleet.context()), 1)
  const told = await typesTold(fleet, project)
  assert.ok(told.includes('endpoint.secret.expired'))
  assert.equal(await announceExpiries(late), 1)
  assert.deepEqual(await typesTold(fleet, project), told)
  assert.equal((await fleet.storage.latestRotation(endpoint))?.outcome?.completedBy, 'expiry')
})

test('what was put off since the list was read is told at its new time', async () => {
  await using fleet = await createFleet()
  const { project, endpoint, rotation } = await addRotating(fleet)
  fleet.clock.advance(59_999)
  const path = `/v1/projects/${project}/endpoints/${endpoint}/rotations/${rotation}`
  const late = await withListOf(fleet, 60_000)
  const extended = await fleet.call('PATCH', path, { body: { expire_current_in: 120 } })
  assert.equal(extended.status, 200, extended.text)
  await announceExpiries(late)
  assert.ok(!(await typesTold(fleet, project)).includes('endpoint.secret.expired'))
  fleet.clock.advance(120_000)
  await announceExpiries(fleet.context())
  assert.ok((await typesTold(fleet, project)).includes('endpoint.secret.expired'))
})

/** An endpoint whose earlier secret expires in a minute. */
async function addRotating(fleet: Fleet) {
  const [[project, [endpoint]] = ['', []]] = await fleet.add({ projects: 1, endpointsEach: 1 })
  const path = `/v1/projects/${project}/endpoints/${endpoint}/secret/rotate`
  const rotated = await fleet.call('POST', path, { body: { expire_current_in: 60 } })
  assert.equal(rotated.status, 200, rotated.text)
  return { project, endpoint: endpoint ?? '', rotation: String(rotated.body.rotation.id) }
}

/** A context that finds what is due now, or in `aheadMs`, whenever it asks. */
async function withListOf(fleet: Fleet, aheadMs = 0): Promise<ActionContext> {
  const context = fleet.context()
  const due = await context.storage.listDueAnnouncements(fleet.clock.now() + aheadMs, 100)
  assert.equal(due.length, 1)
  return { ...context, storage: { ...context.storage, listDueAnnouncements: async () => due } }
}

async function typesTold(fleet: Fleet, project: string): Promise<string[]> {
  const { items } = await fleet.storage.listEvents(project, onePage)
  return items.map(({ type }) => type)
}
