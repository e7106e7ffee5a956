import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  assertRefused,
  createRotationSubject,
  type RotationSubject,
} from './support/rotation-subject.ts'
import { createTestApi, type Reply, type TestApi } from './support/test-api.ts'

const HOUR_MS = 3_600_000

/** What a verb answers: a refusal's code, or how the rotation stands after it. */
type Expected =
  | 'rotation_in_progress'
  | 'rotation_not_active'
  | 'rotation_closed'
  | 'unchanged'
  | 'completed manual'
  | 'cancelled'
  | 'open'
  | 'nothing to revoke'
  | 'a new rotation'

interface State {
  /** Brings an endpoint there; resolves with the id of the rotation in question. */
  reach(subject: RotationSubject, api: TestApi): Promise<string>
  /** `status` and `completed_by` of that rotation. */
  is: [status: string, completedBy: string | null]
  complete: Expected
  cancel: Expected
  revokePrevious: Expected
  patch: Expected
  rotate: Expected
}

const inAnHour = (api: TestApi) => new Date(api.clock.now() + HOUR_MS).toISOString()
const begin = async (subject: RotationSubject, body: object = {}) =>
  (await subject.rotated(body)).rotation.id as string

const completed = {
  complete: 'unchanged',
  cancel: 'rotation_closed',
  revokePrevious: 'nothing to revoke',
  patch: 'rotation_closed',
  rotate: 'a new rotation',
} as const
const cancelled = { ...completed, complete: 'rotation_closed', cancel: 'unchanged' } as const

const states: Record<string, State> = {
  staged: {
    reach: (subject, api) => begin(subject, { activate_at: inAnHour(api) }),
    is: ['staged', null],
    complete: 'rotation_not_active',
    cancel: 'cancelled',
    revokePrevious: 'rotation_not_active',
    patch: 'open',
    rotate: 'rotation_in_progress',
  },
  overlapping: {
    reach: (subject) => begin(subject),
    is: ['overlapping', null],
    complete: 'completed manual',
    cancel: 'cancelled',
    revokePrevious: 'completed manual',
    patch: 'open',
    rotate: 'rotation_in_progress',
  },
  'overlapping after it was staged': {
    async reach(subject, api) {
      const id = await begin(subject, { activate_at: inAnHour(api), expire_current_in: 7200 })
      api.clock.advance(HOUR_MS)
      return id
    },
    is: ['overlapping', null],
    complete: 'completed manual',
    cancel: 'cancelled',
    revokePrevious: 'completed manual',
    patch: 'open',
    rotate: 'rotation_in_progress',
  },
  'completed by expiry': {
    async reach(subject, api) {
      const id = await begin(subject, { expire_current_in: 60 })
      api.clock.advance(60_000)
      return id
    },
    is: ['completed', 'expiry'],
    ...completed,
  },
  'completed by complete': {
    async reach(subject) {
      const id = await begin(subject)
      await subject.verb('complete', id)
      return id
    },
    is: ['completed', 'manual'],
    ...completed,
  },
  'completed by revoke-previous': {
    async reach(subject) {
      const id = await begin(subject)
      await subject.revokePrevious()
      return id
    },
    is: ['completed', 'manual'],
    ...completed,
  },
  'completed by a cut': {
    reach: (subject) => begin(subject, { expire_current_in: 0 }),
    is: ['completed', 'cut'],
    ...completed,
  },
  'completed by a staged cut': {
    async reach(subject, api) {
      const id = await begin(subject, { activate_at: inAnHour(api), expire_current_in: 0 })
      api.clock.advance(HOUR_MS)
      return id
    },
    is: ['completed', 'cut'],
    ...completed,
  },
  'completed by force, another being open': {
    async reach(subject) {
      const id = await begin(subject)
      await subject.rotated({ force: true })
      return id
    },
    is: ['completed', 'force'],
    ...completed,
    revokePrevious: 'completed manual',
    rotate: 'rotation_in_progress',
  },
  'cancelled inside the window': {
    async reach(subject) {
      const id = await begin(subject)
      await subject.verb('cancel', id)
      return id
    },
    is: ['cancelled', null],
    ...cancelled,
  },
  'cancelled while staged': {
    async reach(subject, api) {
      const id = await begin(subject, { activate_at: inAnHour(api) })
      await subject.verb('cancel', id)
      return id
    },
    is: ['cancelled', null],
    ...cancelled,
  },
}

describe('every verb in every state (rotation.md sections 3 and 4)', () => {
  let api: TestApi
  before(async () => {
    api = await createTestApi()
  })
  after(() => api[Symbol.asyncDispose]())

  const verbs: [
    name: 'complete' | 'cancel' | 'revokePrevious' | 'patch' | 'rotate',
    send: (subject: RotationSubject, id: string) => Promise<Reply>,
  ][] = [
    ['complete', (subject, id) => subject.verb('complete', id)],
    ['cancel', (subject, id) => subject.verb('cancel', id)],
    ['revokePrevious', (subject) => subject.revokePrevious()],
    ['patch', (subject, id) => subject.patch(id, { expire_current_in: 100 })],
    ['rotate', (subject) => subject.rotate()],
  ]
  for (const [name, state] of Object.entries(states)) {
    for (const [verb, send] of verbs) {
      test(`${verb} on a rotation that is ${name}: ${state[verb]}`, async () => {
        const subject = await createRotationSubject(api)
        const id = await state.reach(subject, api)
        const rotation = await subject.rotation(id)
        assert.deepEqual([rotation.status, rotation.completed_by], state.is)
        const before = await subject.everything()
        const reply = await send(subject, id)
        await assertOutcome({ expected: state[verb], reply, subject, rotation, before })
      })
    }
  }

  test('verbs say 404 for a rotation that is not of this endpoint', async () => {
    const subject = await createRotationSubject(api)
    const other = await createRotationSubject(api, { project: subject.project })
    const foreign = await begin(other)
    for (const id of [foreign, 'rot_unknown']) {
      for (const reply of [
        await subject.verb('complete', id),
        await subject.verb('cancel', id),
        await subject.patch(id, { expire_current_in: 60 }),
        await api.call('GET', `${subject.path}/rotations/${id}`),
      ]) {
        assertRefused(reply, { status: 404, code: 'not_found' })
      }
    }
    assert.equal((await other.rotation(foreign)).status, 'overlapping')
  })

  test('verbs take force and a reason, and refuse anything else', async () => {
    for (const name of ['complete', 'cancel'] as const) {
      const subject = await createRotationSubject(api)
      const id = await begin(subject)
      const refused = await subject.verb(name, id, { force: 1, reason: 2, now: true })
      const params = ['force', 'reason', 'now']
      assertRefused(refused, { status: 422, code: 'validation_failed', params })
      assert.equal((await subject.rotation(id)).status, 'overlapping')
      const reply = await subject.verb(name, id, { force: false, reason: 'tested' })
      assert.equal(reply.status, 200)
      assert.equal(reply.body.timeline.at(-1).detail, 'tested')
    }
    const subject = await createRotationSubject(api)
    const refused = await subject.revokePrevious({ force: true, reason: 'r'.repeat(501) })
    const params = ['force', 'reason']
    assertRefused(refused, { status: 422, code: 'validation_failed', params })
  })
})

async function assertOutcome(outcome: {
  expected: Expected
  reply: Reply
  subject: RotationSubject
  rotation: Reply['body']
  before: object
}): Promise<void> {
  const { expected, reply, subject, rotation, before } = outcome
  const { body } = reply
  switch (expected) {
    case 'rotation_in_progress':
    case 'rotation_not_active':
    case 'rotation_closed': {
      assertRefused(reply, { status: 409, code: expected })
      if (expected === 'rotation_in_progress') {
        const [latest] = (await subject.secrets()).map(({ id }) => id)
        const open = (await subject.everything()) as { rotations: { data: Reply['body'][] } }
        const inTheWay = open.rotations.data.find(({ new_secret_id }) => new_secret_id === latest)
        assert.equal(body.rotation_id, inTheWay?.id)
        assert.equal(body.previous_secret_expires_at, inTheWay?.previous_secret_expires_at)
        assert.match(body.detail, /With force: true this call would/)
      } else assert.equal(body.rotation_id, rotation.id)
      break
    }
    case 'unchanged':
      assert.deepEqual([reply.status, body], [200, rotation])
      break
    case 'nothing to revoke':
      assert.deepEqual([reply.status, body], [200, { revoked_secret_ids: [], rotation: null }])
      break
    case 'a new rotation':
      assert.equal(reply.status, 200)
      assert.notEqual(body.rotation.id, rotation.id)
      return
    case 'open':
      assert.deepEqual([reply.status, body.status], [200, rotation.status])
      return
    case 'cancelled':
      assert.deepEqual([reply.status, body.status, body.completed_by], [200, 'cancelled', null])
      assert.deepEqual(await statuses(subject), ['revoked', 'current'])
      return
    case 'completed manual': {
      assert.equal(reply.status, 200)
      const ended = body.rotation ?? body
      assert.deepEqual([ended.status, ended.completed_by], ['completed', 'manual'])
      const [first, ...rest] = await statuses(subject)
      assert.equal(first, 'current')
      assert.deepEqual(new Set(rest), new Set(['revoked']))
      return
    }
  }
  assert.deepEqual(await subject.everything(), before, 'nothing was changed or told')
}

async function statuses(subject: RotationSubject): Promise<string[]> {
  return (await subject.secrets()).map(({ status }) => status)
}
