import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { verifyWebhook } from '@countersign/sdk'
import { checkInvariants } from './support/check-invariants.ts'
import { type Received, type Receiver, startReceiver } from './support/receiver.ts'
import { type ServerProcess, startServerProcess } from './support/start-server-process.ts'
import { isOnPostgres } from './support/test-database.ts'
import { until } from './support/until.ts'
import { createWireClient, type Wire, type WireAnswer, type WireClient } from './support/wire.ts'

const isShort = process.env.COUNTERSIGN_TEST_LONG === undefined
/**
 * When the kills come, as shares of the time that the calls take. Beside a database most of that is
 * the wait after the commit, so that a few kills have to choose: before it, about it, at the end.
 */
const killsAt = isShort && isOnPostgres ? [0.05, 0.3, 1] : evenShares(isShort ? 7 : 60)
/** Under way at each kill, one a little after the other, so that each is met at another step. */
const endpointsPerKill = 4
const headStartMs = 0.4

/** A verb whose way through the server is cut, and what it leaves behind where it came through. */
interface Verb {
  name: string
  /** A rotation is open before it. */
  needsRotation: boolean
  path: (endpoint: Subject) => string
  body: object
  /** The audit row and the operational event that it writes. */
  trace: string
  /** Which of the endpoint's secrets sign afterwards, newest first, and which before. */
  signs: { before: ('old' | 'new')[]; after: ('old' | 'new')[] }
  rotation: { before: Wire.RotationStatus | null; after: Wire.RotationStatus }
}

const verbs: readonly Verb[] = [
  {
    name: 'rotate',
    needsRotation: false,
    path: ({ path }) => `${path}/secret/rotate`,
    body: { expire_current_in: 3600 },
    trace: 'endpoint.secret.rotated',
    signs: { before: ['old'], after: ['new', 'old'] },
    rotation: { before: null, after: 'overlapping' },
  },
  {
    name: 'cut',
    needsRotation: false,
    path: ({ path }) => `${path}/secret/rotate`,
    body: { expire_current_in: 0 },
    trace: 'endpoint.secret.rotated',
    signs: { before: ['old'], after: ['new'] },
    rotation: { before: null, after: 'completed' },
  },
  {
    name: 'complete',
    needsRotation: true,
    path: ({ path, rotationId }) => `${path}/rotations/${rotationId}/complete`,
    body: { reason: 'all have it' },
    trace: 'endpoint.rotation.completed',
    signs: { before: ['new', 'old'], after: ['new'] },
    rotation: { before: 'overlapping', after: 'completed' },
  },
  {
    name: 'cancel',
    needsRotation: true,
    path: ({ path, rotationId }) => `${path}/rotations/${rotationId}/cancel`,
    body: {},
    trace: 'endpoint.rotation.cancelled',
    signs: { before: ['new', 'old'], after: ['old'] },
    rotation: { before: 'overlapping', after: 'cancelled' },
  },
  {
    name: 'revoke-previous',
    needsRotation: true,
    path: ({ path }) => `${path}/secret/revoke-previous`,
    body: {},
    trace: 'endpoint.rotation.completed',
    signs: { before: ['new', 'old'], after: ['new'] },
    rotation: { before: 'overlapping', after: 'completed' },
  },
]

/** One endpoint of a round. */
interface Subject {
  number: string
  path: string
  project: string
  old: string
  /** Known once rotated or answered. */
  new: string | null
  rotationId: string | null
}

/**
 * Goal: proof 3 of rotation.md. Method: a real process is killed at moments that sweep over the
 * time which the call takes, in steps of a fraction of a millisecond. After the restart everything
 * that the call writes must be there, or nothing of it; an answered call must be there; and the
 * same call under the same Idempotency-Key must come to one effect and one secret.
 */
test('a process killed at any step of a rotation is in the old state or in the new one', async (t) => {
  const receiver = await startReceiver()
  const server = await startServerProcess({ COUNTERSIGN_LOG_LEVEL: 'warn' })
  t.after(async () => {
    await server.dispose()
    await receiver.close()
  })
  const round = createRounds(t, server, receiver)
  const figures = { old: 0, unanswered: 0, answered: 0 }
  for (const verb of verbs) {
    await t.test(`killed during ${verb.name}`, async () => {
      let spanMs = 0
      for (const [kill, share] of killsAt.entries()) {
        // Now and then unharmed: to know how long the calls take by now.
        if (kill % 4 === 0) spanMs = await round(verb, null, figures)
        await round(verb, spanMs * share, figures)
      }
    })
  }
  t.diagnostic(`how the calls ended: ${JSON.stringify(figures)}`)
  for (const [end, count] of Object.entries(figures)) {
    assert.ok(count > 0, `the kills met no call that ends ${end}: they do not sweep over it all`)
  }
})

function evenShares(count: number): number[] {
  return Array.from({ length: count }, (_, place) => (place + 0.5) / count)
}

/** Counts how the calls that were cut ended. */
interface Figures {
  old: number
  unanswered: number
  answered: number
}

function createRounds(t: TestContext, server: ServerProcess, receiver: Receiver) {
  const call = createWireClient({ url: () => server.url, key: () => server.rootKey })
  let rounds = 0

  /** One kill after `killAfterMs`; null: none. Resolves with how long the calls took, in ms. */
  return async (verb: Verb, killAfterMs: number | null, figures: Figures): Promise<number> => {
    const subjects = await createSubjects(call, receiver, verb)
    const key = `${verb.name}-${++rounds}`
    const startedAt = performance.now()
    const sending = subjects.map(async (subject, index) => {
      await spin(index * headStartMs)
      return send(call, verb, subject, key).catch(() => null)
    })
    if (killAfterMs !== null) {
      await spin(killAfterMs)
      await server.kill()
    }
    const answers = await Promise.all(sending)
    const spanMs = performance.now() - startedAt
    if (killAfterMs !== null) {
      await server.start()
      await checkInvariants(server.store)
    }
    const ends = await Promise.all(
      subjects.map((subject, index) =>
        checkSubject({ call, verb, subject, key, answer: answers[index] ?? null }),
      ),
    )
    if (killAfterMs !== null) for (const end of ends) figures[end]++
    await checkSignatures({ call, verb, subjects, receiver })
    if (killAfterMs === null) assert.ok(answers.every((answer) => answer?.status === 200))
    t.diagnostic(`${key}: ${killAfterMs?.toFixed(2) ?? 'no kill'} ms: ${ends.join(' ')}`)
    return spanMs
  }
}

async function createSubjects(
  call: WireClient,
  receiver: Receiver,
  verb: Verb,
): Promise<Subject[]> {
  const { body: project } = await call<Wire.Project>('POST', '/projects', {
    body: { name: 'kill' },
  })
  return Promise.all(
    Array.from({ length: endpointsPerKill }, async (_, index) => {
      const number = String(index)
      const created = await call<Wire.CreatedEndpoint>(
        'POST',
        `/projects/${project.id}/endpoints`,
        {
          body: { url: receiver.url, headers: { 'x-number': number } },
        },
      )
      const path = `/projects/${project.id}/endpoints/${created.body.id}`
      const old = created.body.secret ?? assert.fail()
      const subject = { number, path, project: project.id, old, new: null, rotationId: null }
      if (!verb.needsRotation) return subject
      const { body } = await call<Wire.RotatedSecret>('POST', `${path}/secret/rotate`, {
        body: { expire_current_in: 3600 },
      })
      return { ...subject, new: body.secret ?? assert.fail(), rotationId: body.rotation.id }
    }),
  )
}

function send(call: WireClient, verb: Verb, subject: Subject, idempotencyKey: string) {
  const request = { body: verb.body, idempotencyKey }
  return call<Partial<Wire.RotatedSecret>>('POST', verb.path(subject), request)
}

/** Waits without giving the time away: timers are too coarse for steps of a millisecond. */
async function spin(ms: number): Promise<void> {
  const endsAt = performance.now() + ms
  while (performance.now() < endsAt) await new Promise((resolve) => setImmediate(resolve))
}

/** Holds everything that was written against each other, then repeats the call. */
async function checkSubject(input: {
  call: WireClient
  verb: Verb
  subject: Subject
  key: string
  answer: WireAnswer<Partial<Wire.RotatedSecret>> | null
}): Promise<keyof Figures> {
  const { call, verb, subject, key, answer } = input
  const found = await readState(call, verb, subject)
  const isNew = found.isSigning.new === verb.signs.after.includes('new') && found.rows > 0
  assert.deepEqual(found, stateOf(verb, isNew), `${key} left something half-done`)
  if (answer !== null) {
    assert.equal(answer.status, 200, answer.text)
    assert.ok(isNew, `${key} was answered, and its effect is gone`)
  }
  const repeated = await send(call, verb, subject, key)
  assert.equal(repeated.status, 200, repeated.text)
  assert.equal(repeated.headers.has('idempotent-replayed'), isNew, 'the answer is kept with it')
  if (answer !== null) assert.equal(repeated.text, answer.text, 'the same answer, to the byte')
  assert.deepEqual(await readState(call, verb, subject), stateOf(verb, true), 'done exactly once')
  subject.new ??= repeated.body.secret ?? null
  if (!isNew) return 'old'
  return answer === null ? 'unanswered' : 'answered'
}

/** What the reads of the API say, as figures that must agree with each other. */
async function readState(call: WireClient, verb: Verb, { path, project }: Subject) {
  const read = async <T>(suffix: string) =>
    (await call<{ data: T[] }>('GET', `${suffix}?limit=100`)).body.data
  const secrets = await read<Wire.Secret>(`${path}/secrets`)
  const [rotation = null] = await read<Wire.Rotation>(`${path}/rotations`)
  const { body: endpoint } = await call<Wire.Endpoint>('GET', path)
  const rows = await read<Wire.AuditRow>(`/projects/${project}/audit-log`)
  const events = await read<Wire.EventSummary>(`/projects/${project}/events`)
  const told = await Promise.all(
    events
      .filter(({ type }) => type === verb.trace)
      .map(({ id }) => call<Wire.Event>('GET', `/projects/${project}/events/${id}`)),
  )
  const concerns = (details: Record<string, unknown> | null) => details?.endpoint_id === endpoint.id
  const signs = (id: string | undefined) =>
    secrets.some((secret) => secret.id === id && ['current', 'retiring'].includes(secret.status))
  const oldest = secrets.at(-1)?.id
  const newest = secrets.length > 1 ? secrets[0]?.id : undefined
  return {
    isSigning: { old: signs(oldest), new: signs(newest) },
    rotation: rotation?.status ?? null,
    isShownAsOpen: endpoint.rotation !== null,
    rows: rows.filter((row) => row.action === verb.trace && concerns(row.details)).length,
    events: told.filter(({ body }) => concerns(body.data)).length,
  }
}

function stateOf(verb: Verb, isNew: boolean): Awaited<ReturnType<typeof readState>> {
  const signs = isNew ? verb.signs.after : verb.signs.before
  const rotation = isNew ? verb.rotation.after : verb.rotation.before
  return {
    isSigning: { old: signs.includes('old'), new: signs.includes('new') },
    rotation,
    isShownAsOpen: rotation === 'overlapping',
    rows: isNew ? 1 : 0,
    events: isNew ? 1 : 0,
  }
}

/** A delivery to each endpoint is signed with what its state says, and with nothing else. */
async function checkSignatures(input: {
  call: WireClient
  verb: Verb
  subjects: readonly Subject[]
  receiver: Receiver
}): Promise<void> {
  const { call, verb, subjects, receiver } = input
  const published = await call<Wire.PublishedEvent>(
    'POST',
    `/projects/${subjects[0]?.project}/events`,
    { body: { type: 'after.kill', data: {} } },
  )
  const arrived = () => receiver.received.filter(({ id }) => id === published.body.id)
  await until('the event arrives everywhere', () => arrived().length >= subjects.length)
  for (const subject of subjects) {
    const delivery = arrived().find(({ headers }) => headers['x-number'] === subject.number)
    assert.ok(delivery)
    for (const which of ['old', 'new'] as const) {
      const secret = subject[which]
      assert.ok(secret !== null)
      const isSigned = await isSignedWith(delivery, secret)
      assert.equal(isSigned, verb.signs.after.includes(which), `${verb.name}: the ${which} secret`)
    }
  }
}

async function isSignedWith({ body, headers }: Received, secret: string): Promise<boolean> {
  return verifyWebhook(body, headers, secret).then(
    () => true,
    () => false,
  )
}
