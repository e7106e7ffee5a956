import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import type { ActionContext, ActionParts } from '../src/actions/action-context.ts'
import { announceExpiries } from '../src/actions/announce-expiries.ts'
import { cancelRotation } from '../src/actions/cancel-rotation.ts'
import { completeRotation } from '../src/actions/complete-rotation.ts'
import { createEndpoint } from '../src/actions/create-endpoint.ts'
import { createProject } from '../src/actions/create-project.ts'
import { deleteEndpoint } from '../src/actions/delete-endpoint.ts'
import { lookAtRotation } from '../src/actions/look-at-rotation.ts'
import { revokePreviousSecret } from '../src/actions/revoke-previous-secret.ts'
import { rotateSecret } from '../src/actions/rotate-secret.ts'
import { settleEndpointHealth } from '../src/actions/settle-endpoint-health.ts'
import { updateRotation } from '../src/actions/update-rotation.ts'
import { verifyRotation } from '../src/actions/verify-rotation.ts'
import { rootPrincipal } from '../src/core/authorization.ts'
import { AppError } from '../src/core/errors.ts'
import { limits } from '../src/core/limits.ts'
import { rotationState } from '../src/core/rotation.ts'
import { signingSet } from '../src/core/secret.ts'
import { openSqliteStorage } from '../src/storage/sqlite/open.ts'
import {
  answerOf,
  createRotationReference,
  type ReceiverKind,
  type RotateWish,
  type RotationReference,
  receiverKinds,
} from './support/rotation-reference.ts'
import { createTestApi, type TestApi } from './support/test-api.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const isLong = process.env.COUNTERSIGN_TEST_LONG !== undefined

/** More than fall due in the longest time that a step lets pass. */
const looksMax = 200

type Step =
  | ({ do: 'rotate' } & RotateWish)
  | { do: 'pass'; minutes: number }
  | { do: 'receiver'; kind: ReceiverKind }
  | { do: 'complete' | 'cancel'; force: boolean }
  | { do: 'window'; seconds: number }
  | { do: 'refuse' | 'verify' | 'revoke' | 'announce' | 'restart' }

const always = <T extends string>(...names: T[]) => fc.record({ do: fc.constantFrom(...names) })
const rotate = fc.record({
  do: fc.constant('rotate' as const),
  seconds: fc.constantFrom(0, 60, 3600, 7200, 20_000),
  stagedMs: fc.constantFrom(0, 0, 0, MINUTE_MS, 3 * HOUR_MS),
  isVerified: fc.boolean(),
  force: fc.boolean(),
})
const receiver = fc.record({
  do: fc.constant('receiver' as const),
  kind: fc.constantFrom(...receiverKinds),
})
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: rotate },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      minutes: fc.constantFrom(1, 14, 16, 59, 61, 200, 500),
    }),
  },
  { weight: 2, arbitrary: receiver },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('complete' as const, 'cancel' as const),
      force: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('window' as const),
      seconds: fc.constantFrom(0, 60, 3600, 20_000),
    }),
  },
  { weight: 5, arbitrary: always('refuse', 'verify', 'revoke', 'announce', 'restart') },
)

let world: World
before(async () => {
  world = await createWorld()
})
after(() => world.dispose())

/**
 * The same acts on the real actions over a SQLite file and on a reference that was written from the
 * specification alone. A restart is the store closed and opened again, with nothing else kept.
 */
test('signing set, status and answers are those of the reference, over restarts', async (t) => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
  t.diagnostic(`SEED=${seed}`)
  const property = fc.asyncProperty(
    fc.boolean(),
    receiver,
    rotate,
    fc.array(step, { minLength: 3, maxLength: 20 }),
    (autoProbe, ...[first, second, others]) => world.play(autoProbe, [first, second, ...others]),
  )
  await fc.assert(property, { numRuns: isLong ? 10_000 : 2_000, seed, endOnFailure: !isLong })
})

type World = Awaited<ReturnType<typeof createWorld>>

async function createWorld() {
  const { api, parts } = await createParts()
  const { clock, newId } = parts
  const directory = await mkdtemp(join(tmpdir(), 'countersign-restarts-'))
  const file = join(directory, 'test.db')
  const open = () =>
    openSqliteStorage({ file, clock, newId, leaseMs: 30_000, checkpointThread: false })
  let storage = await open()
  /** As a process has it that was started on this store just now. */
  const context = (probe: ActionParts['probe'] = parts.probe): ActionContext => ({
    ...{ ...parts, storage, probe },
    ...{ principal: rootPrincipal, requestId: null, sourceAddress: null, keepsAnswer: false },
    transact: (work) => storage.transact(work),
  })
  const { id: project } = await createProject(context(), {
    name: 'expiry',
    uid: null,
    settings: {},
  })
  const probing = await createProject(context(), {
    ...{ name: 'probing', uid: null },
    settings: { autoProbe: true },
  })
  return {
    clock: api.clock,
    context,
    storage: () => storage,
    async restart() {
      await storage.close()
      storage = await open()
    },
    async play(autoProbe: boolean, steps: readonly Step[]) {
      const projectId = autoProbe ? probing.id : project
      const { endpoint, secret } = await createEndpoint(context(), projectId, {
        url: 'https://receiver.example/hook',
      })
      const reference = createRotationReference({
        ...{ firstSecretId: secret.id, now: clock.now, autoProbe },
        capMs: parts.settings.rotationCapMs,
      })
      const subject = createSubject(world, { projectId, endpointId: endpoint.id, reference })
      for (const each of steps) await subject.take(each)
      await deleteEndpoint(context(), projectId, endpoint.id)
    },
    async dispose() {
      await storage.close()
      await rm(directory, { recursive: true, force: true })
      await api[Symbol.asyncDispose]()
    },
  }
}

/** The parts of a server, with a clock that only moves by hand and no limit on probes. */
async function createParts(): Promise<{ api: TestApi; parts: ActionParts }> {
  let kept: ActionParts | undefined
  const api = await createTestApi({
    changeParts(parts) {
      kept = parts
      return {}
    },
  })
  assert.ok(kept)
  const probeLimiter = { take: () => true, require: () => {}, waitMs: () => 0 }
  const settings = { ...kept.settings, rotationCapMs: 8 * HOUR_MS }
  return { api, parts: { ...kept, settings, probeLimiter } }
}

/** One endpoint in the store, and the same in the reference. */
function createSubject(
  { clock, context, restart, storage }: World,
  {
    projectId,
    endpointId,
    reference,
  }: { projectId: string; endpointId: string; reference: RotationReference },
) {
  let receiver: ReceiverKind = 'old'
  let probeCount = 0
  const acting = () =>
    context(async (_, { keys }) => {
      probeCount++
      const signedBy = keys.map(({ secretId, isWrong }) =>
        isWrong ? 'wrong' : secretId === reference.newSecretId() ? 'new' : 'old',
      )
      const statusCode = answerOf(receiver, signedBy)
      return { at: clock.now(), statusCode, error: null, durationMs: 1 }
    })
  const latest = () => storage().latestRotation(endpointId)
  const onRotation = async (
    verb: (context: ActionContext, projectId: string, ref: string, id: string) => Promise<unknown>,
  ): Promise<string> => {
    const rotation = await latest()
    if (rotation === null) return 'none'
    return codeOf(() => verb(acting(), projectId, endpointId, rotation.id))
  }

  /** Both in turn; answers the code of each. */
  const act = async (step: Step): Promise<[string, string] | null> => {
    switch (step.do) {
      case 'rotate':
        return rotateBoth(step)
      case 'complete':
        return [
          await onRotation((...at) => completeRotation(...at, { force: step.force })),
          reference.complete(step.force),
        ]
      case 'cancel':
        return [
          await onRotation((...at) => cancelRotation(...at, { force: step.force })),
          reference.cancel(step.force),
        ]
      case 'window':
        return [
          await onRotation((...at) =>
            updateRotation(...at, { expireCurrentInSeconds: step.seconds }),
          ),
          reference.window(step.seconds),
        ]
      case 'verify':
        return [await onRotation(verifyRotation), reference.verify(receiver)]
      case 'revoke': {
        const revoked = () => revokePreviousSecret(acting(), projectId, endpointId, {})
        return [await codeOf(revoked), reference.revokePrevious()]
      }
      default:
        await follow(step)
        return null
    }
  }
  const rotateBoth = async (step: Extract<Step, { do: 'rotate' }>): Promise<[string, string]> => {
    const { seconds, stagedMs, isVerified, force } = step
    let secretId = ''
    const code = await codeOf(async () => {
      const rotated = await rotateSecret(acting(), projectId, endpointId, {
        expireCurrentInSeconds: seconds,
        completeWhen: isVerified ? 'verified' : 'expiry',
        force,
        ...(stagedMs === 0 ? {} : { activateAt: clock.now() + stagedMs }),
      })
      secretId = rotated.secretId
    })
    return [code, reference.rotate(step, secretId)]
  }
  const follow = async (step: Exclude<Step, { do: 'rotate' }>): Promise<void> => {
    if (step.do === 'receiver') receiver = step.kind
    else if (step.do === 'pass') await pass(step.minutes * MINUTE_MS)
    else if (step.do === 'announce') await announceExpiries(acting())
    else if (step.do === 'restart') await restart()
    else if (step.do === 'refuse') await refuse()
  }
  const refuse = async () => {
    const outcome = { exhausted: false, gone: false, reportedSecretId: null, at: clock.now() }
    const refused = { ...outcome, succeeded: false, statusCode: 401 }
    const outcomes = [{ ...outcome, succeeded: true, statusCode: 204 }, refused, refused, refused]
    await storage().transact((tx) => settleEndpointHealth(tx, acting(), endpointId, outcomes))
    reference.refuseDeliveries()
  }
  /** Lets time pass, with every look that falls due on the way. */
  const pass = async (ms: number) => {
    const endsAt = clock.now() + ms
    for (let count = 0; ; count++) {
      assert.ok(count < looksMax, 'looks come to an end')
      const lookAt = await storage().nextLookAt()
      if (lookAt === null || lookAt > endsAt) break
      clock.advance(Math.max(0, lookAt - clock.now()))
      await look()
    }
    clock.advance(endsAt - clock.now())
    await look()
  }
  const look = async () => {
    for (const due of await storage().listDueLooks(clock.now(), 10)) {
      const before = probeCount
      await lookAtRotation(acting(), due)
      if (due.endpointId === endpointId) reference.look(probeCount > before ? receiver : null)
    }
  }

  return {
    async take(step: Step) {
      const codes = await act(step)
      if (codes !== null) assert.equal(codes[0], codes[1], `the answer to ${step.do}`)
      await check(step)
    },
  }

  async function check(step: Step): Promise<void> {
    const now = clock.now()
    const what = `after ${JSON.stringify(step)}`
    const secrets = await storage().listSecrets(endpointId)
    const signing = signingSet(secrets, now, limits.secretsActiveMax).map(({ id }) => id)
    assert.deepEqual(signing, reference.signing(), `what signs ${what}`)
    const rotation = await latest()
    const state = rotation && rotationState(rotation, now)
    const status = state && [state.status, state.completedBy].filter(Boolean).join(' ')
    assert.equal(status, reference.status(), `the status ${what}`)
    if (state?.closedAt === null) {
      assert.equal(rotation?.previousSecretExpiresAt, reference.endsAt(), `the end ${what}`)
    }
    if (!reference.waitsForProof()) return
    const nextAt = rotation?.watch.nextAt ?? Number.POSITIVE_INFINITY
    assert.ok(nextAt <= now + 15 * MINUTE_MS, `it is looked at within one interval ${what}`)
  }
}

async function codeOf(act: () => Promise<unknown>): Promise<string> {
  try {
    await act()
    return 'ok'
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return error.code
  }
}
