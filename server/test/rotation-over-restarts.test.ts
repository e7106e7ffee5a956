import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import type { ActionContext, ActionParts } from '../src/actions/action-context.ts'
import { announceExpiries } from '../src/actions/announce-expiries.ts'
import { cancelRotation } from '../src/actions/cancel-rotation.ts'
import { claimSecret, disputeClaim } from '../src/actions/claim-secret.ts'
import { completeRotation } from '../src/actions/complete-rotation.ts'
import { createEndpoint } from '../src/actions/create-endpoint.ts'
import { createProject } from '../src/actions/create-project.ts'
import { deleteEndpoint } from '../src/actions/delete-endpoint.ts'
import { lookAtRotation } from '../src/actions/look-at-rotation.ts'
import { reissueClaimLink } from '../src/actions/reissue-claim-link.ts'
import { revokePreviousSecret } from '../src/actions/revoke-previous-secret.ts'
import { type RotateSecretInput, rotateSecret } from '../src/actions/rotate-secret.ts'
import {
  type EndpointOutcome,
  settleEndpointHealth,
} from '../src/actions/settle-endpoint-health.ts'
import { updateRotation } from '../src/actions/update-rotation.ts'
import { verifyRotation } from '../src/actions/verify-rotation.ts'
import { rootPrincipal } from '../src/core/authorization.ts'
import { AppError } from '../src/core/errors.ts'
import { limits } from '../src/core/limits.ts'
import { rotationState } from '../src/core/rotation.ts'
import { signingSet } from '../src/core/secret.ts'
import { formatOf } from '../src/formats/registry.ts'
import { generateSecretText } from '../src/formats/secret-text.ts'
import { openPostgresStorage } from '../src/storage/postgres/open.ts'
import { openSqliteStorage } from '../src/storage/sqlite/open.ts'
import {
  answerOf,
  createRotationReference,
  type ReceiverKind,
  type RotateWish,
  type RotationReference,
  type WindowWish,
} from './support/rotation-reference.ts'
import { receiverStep, rotateStep, type Step, step } from './support/rotation-steps.ts'
import { createTestApi, type TestApi } from './support/test-api.ts'
import { createTestDatabase, isOnPostgres } from './support/test-database.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const isLong = process.env.COUNTERSIGN_TEST_LONG !== undefined
const runsMax = (isLong ? 10_000 : 2_000) / (isOnPostgres ? 20 : 1)

/** More than fall due in the longest time that a step lets pass. */
const looksMax = 200

const verbs = 'rotate complete cancel window verify revoke claim reissue dispute'.split(' ')
/** In a few sequences the last ones need not come about. */
const verbsMet = isOnPostgres ? verbs.slice(0, 6) : verbs
/** How often each step was answered how. */
const answerCounts = new Map<string, number>()
let world: World
before(async () => {
  world = await createWorld()
})
after(() => world.dispose())

/**
 * The same acts on the real actions over a store and on a reference that was written from the
 * specification alone. A restart is the store closed and opened again, with nothing else kept.
 */
test('signing set, status and answers are those of the reference, over restarts', async (t) => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
  t.diagnostic(`SEED=${seed}`)
  const property = fc.asyncProperty(
    fc.boolean(),
    receiverStep,
    rotateStep,
    fc.array(step, { minLength: 3, maxLength: 20 }),
    (autoProbe, ...[first, second, others]) => world.play(autoProbe, [first, second, ...others]),
  )
  await fc.assert(property, { numRuns: runsMax, seed, endOnFailure: !isLong })
  const seen = [...answerCounts].sort().map(([answer, count]) => `${answer} ${count}`)
  t.diagnostic(`answers: ${seen.join(', ')}`)
  for (const verb of verbsMet)
    assert.ok(answerCounts.has(`${verb} ok`), `${verb} was never answered`)
})

type World = Awaited<ReturnType<typeof createWorld>>

async function createWorld() {
  const { api, parts } = await createParts()
  const { clock, newId } = parts
  const directory = await mkdtemp(join(tmpdir(), 'countersign-restarts-'))
  const database = await createTestDatabase()
  const shared = { clock, newId, leaseMs: 30_000 }
  const file = join(directory, 'test.db')
  // Windows count from the answer, which no other node puts off here.
  const open = () =>
    database === null
      ? openSqliteStorage({ ...shared, file, checkpointThread: false })
      : openPostgresStorage({ ...shared, url: database.url, cacheTtlMs: 0 })
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
      const { endpoint, secret, secretValue } = await createEndpoint(context(), projectId, {
        url: 'https://receiver.example/hook',
      })
      const reference = createRotationReference({
        ...{ firstSecretId: secret.id, now: clock.now, autoProbe },
        capMs: parts.settings.rotationCapMs,
      })
      const subject = createSubject(world, {
        ...{ projectId, endpointId: endpoint.id, reference },
        firstSecret: { id: secret.id, value: secretValue },
      })
      for (const each of steps) await subject.take(each)
      await deleteEndpoint(context(), projectId, endpoint.id)
    },
    async dispose() {
      await storage.close()
      await database?.drop()
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
  const publicUrl = 'https://hooks.example'
  const settings = { ...kept.settings, publicUrl, rotationCapMs: 8 * HOUR_MS }
  return { api, parts: { ...kept, settings, probeLimiter } }
}

/** One endpoint in the store, and the same in the reference. */
function createSubject(
  { clock, context, restart, storage }: World,
  {
    projectId,
    endpointId,
    reference,
    firstSecret,
  }: {
    projectId: string
    endpointId: string
    reference: RotationReference
    firstSecret: { id: string; value: string }
  },
) {
  let receiver: ReceiverKind = 'old'
  let probeCount = 0
  /** Of the newest rotation that goes by claim link, the newest last. */
  let claimTokens: string[] = []
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
          await onRotation((...at) => updateRotation(...at, windowInput(step))),
          reference.window(step),
        ]
      case 'verify':
        return [await onRotation(verifyRotation), reference.verify(receiver)]
      case 'revoke': {
        const revoked = () => revokePreviousSecret(acting(), projectId, endpointId, {})
        return [await codeOf(revoked), reference.revokePrevious()]
      }
      case 'claim': {
        const isStale = step.isStale && claimTokens.length > 1
        const token = claimTokens.at(isStale ? 0 : -1)
        return [await byToken(claimSecret, token), reference.claim(isStale)]
      }
      case 'dispute':
        return [await byToken(disputeClaim, claimTokens.at(-1)), reference.dispute()]
      case 'reissue':
        return [await onRotation(reissue), reference.reissue()]
      default:
        await follow(step)
        return null
    }
  }
  const rotateBoth = async (step: Extract<Step, { do: 'rotate' }>): Promise<[string, string]> => {
    let secretId = ''
    const code = await codeOf(async () => {
      const rotated = await rotateSecret(acting(), projectId, endpointId, rotateInput(step))
      secretId = rotated.secretId
      if (rotated.claimUrl !== null) claimTokens = [tokenOf(rotated.claimUrl)]
    })
    return [code, reference.rotate(step, secretId)]
  }
  const rotateInput = (wish: RotateWish): RotateSecretInput => ({
    expireCurrentInSeconds: wish.seconds ?? undefined,
    activateAt: wish.stagedMs === 0 ? undefined : clock.now() + wish.stagedMs,
    completeWhen: wish.isVerified ? 'verified' : 'expiry',
    deliver: wish.isClaimed ? 'claim_link' : undefined,
    force: wish.force,
    algorithm: wish.algorithm ?? undefined,
    secret: ownSecret(wish.own),
    expectedCurrentSecretId:
      wish.expected === null
        ? undefined
        : wish.expected === 'first'
          ? firstSecret.id
          : reference.currentSecretId(),
    reason: wish.reason,
  })
  const ownSecret = (own: RotateWish['own']) => {
    if (own === 'first') return firstSecret.value
    const format = formatOf('standard')
    if (own === 'shared') return generateSecretText(format, 'hmac-sha256', randomBytes)
    return own === 'key' ? generateSecretText(format, 'ed25519', randomBytes) : undefined
  }
  const windowInput = ({ seconds, endsInMs, completeWhen }: WindowWish) => ({
    expireCurrentInSeconds: seconds ?? undefined,
    previousSecretExpiresAt: endsInMs === null ? undefined : clock.now() + endsInMs,
    completeWhen: completeWhen ?? undefined,
  })
  const byToken = async (
    verb: (context: ActionContext, token: string) => Promise<unknown>,
    token: string | undefined,
  ) => (token === undefined ? 'none' : codeOf(() => verb(acting(), token)))
  const reissue = async (...at: Parameters<typeof reissueClaimLink>) => {
    const { claimUrl } = await reissueClaimLink(...at)
    claimTokens.push(tokenOf(claimUrl))
  }
  const follow = async (step: Exclude<Step, { do: 'rotate' }>): Promise<void> => {
    if (step.do === 'receiver') receiver = step.kind
    else if (step.do === 'pass') await pass(step.minutes * MINUTE_MS)
    else if (step.do === 'announce') await announceExpiries(acting())
    else if (step.do === 'restart') await restart()
    else if (step.do === 'refuse') await refuse()
    else if (step.do === 'report') await report(step.which)
  }
  const refuse = async () => {
    const refused = { ...taken(null), succeeded: false, statusCode: 401 }
    await settle([taken(null), refused, refused, refused])
    reference.refuseDeliveries()
  }
  const report = async (which: 'new' | 'old') => {
    const secretId = which === 'new' ? reference.newSecretId() : reference.previousSecretId()
    await settle([taken(secretId)])
    reference.report(which)
  }
  const taken = (reportedSecretId: string | null): EndpointOutcome => ({
    ...{ succeeded: true, statusCode: 204, exhausted: false, gone: false },
    ...{ reportedSecretId, at: clock.now() },
  })
  const settle = (outcomes: readonly EndpointOutcome[]) =>
    storage().transact((tx) => settleEndpointHealth(tx, acting(), endpointId, outcomes))
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
      const answer = `${step.do} ${codes?.[0] ?? 'done'}`
      answerCounts.set(answer, (answerCounts.get(answer) ?? 0) + 1)
      await check(step)
    },
  }

  async function check(step: Step): Promise<void> {
    const now = clock.now()
    const what = `after ${JSON.stringify(step)}`
    const secrets = await storage().listSecrets(endpointId)
    const signing = signingSet(secrets, now, limits.secretsActiveMax).map(
      ({ id, algorithm }) => `${id} ${algorithm}`,
    )
    assert.deepEqual(signing, reference.signing(), `what signs ${what}`)
    const rotation = await latest()
    const state = rotation && rotationState(rotation, now)
    const status = state && [state.status, state.completedBy].filter(Boolean).join(' ')
    assert.equal(status, reference.status(), `the status ${what}`)
    assert.equal(rotation?.reason ?? null, reference.reason(), `the reason ${what}`)
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

function tokenOf(claimUrl: string): string {
  return new URL(claimUrl).hash.slice(1)
}
