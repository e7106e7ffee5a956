import { setTimeout as sleep } from 'node:timers/promises'
import { Countersign } from '@countersign/sdk'
import { createDemoFigures, type DemoTotals } from './demo-figures.ts'
import { type DemoMoment, demoSliceCount } from './demo-picture.ts'
import { startDemoReceiver } from './demo-receiver.ts'
import { publishSteadily } from './publish-steadily.ts'

/** A rotation under load, as it is told: who has which secret when. */
export interface DemoStory {
  now(): DemoMoment
  /** Publishes, rotates and waits for the last delivery; then everything is counted. */
  tell(): Promise<DemoTotals>
}

/** When what happens, in milliseconds from the start. */
export interface DemoPlan {
  totalMs: number
  rotateAtMs: number
  overlapSeconds: number
  trustBothAtMs: number
  trustNewAtMs: number
}

/** The window is a third of the whole and lies in the middle; the receiver moves on inside it. */
export function planDemo(totalSeconds: number): DemoPlan {
  const overlapSeconds = Math.max(2, Math.round(totalSeconds / 3))
  const rotateAtMs = ((totalSeconds - overlapSeconds) / 2) * 1000
  return {
    totalMs: totalSeconds * 1000,
    rotateAtMs,
    overlapSeconds,
    trustBothAtMs: rotateAtMs + overlapSeconds * 300,
    trustNewAtMs: rotateAtMs + overlapSeconds * 650,
  }
}

/** Makes a project, a receiver and its endpoint on the server. */
export async function createDemoStory(options: {
  baseUrl: string
  apiKey: string
  totalSeconds: number
  ratePerSecond: number
  monotonic: () => number
  signal: AbortSignal
  resources: AsyncDisposableStack
  onStory: (entry: { atMs: number; text: string }) => void
}): Promise<DemoStory> {
  const { baseUrl, apiKey, totalSeconds, ratePerSecond, monotonic, signal, resources } = options
  const plan = planDemo(totalSeconds)
  const sliceMs = (plan.totalMs + drainShownMs) / demoSliceCount
  const client = new Countersign({ baseUrl, apiKey })
  let startedAt = monotonic()
  const elapsedMs = () => monotonic() - startedAt
  const figures = createDemoFigures({ sliceMs, elapsedMs })
  const receiver = resources.use(await startDemoReceiver({ onDelivery: figures.received }))
  const { id: project } = await client.projects.create({ name: 'Demo' })
  const endpoint = await client.endpoints.create(project, { url: receiver.url })

  const secrets = [{ id: endpoint.secretId, name: 'old' }]
  const trusts: { atMs: number; what: string }[] = []
  const story: { atMs: number; text: string }[] = []
  const tell = (text: string) => {
    const entry = { atMs: elapsedMs(), text }
    story.push(entry)
    options.onStory(entry)
  }
  const trust = (what: string, values: readonly string[]) => {
    receiver.trust(values)
    trusts.push({ atMs: elapsedMs(), what })
  }
  const ended = new AbortController()
  signal.addEventListener('abort', () => ended.abort(), { once: true })
  // Whoever stops it during the start is not told a second time.
  if (signal.aborted) ended.abort()
  const until = (atMs: number) =>
    sleep(Math.max(0, atMs - elapsedMs()), undefined, { signal: ended.signal })

  const rotateInTheMiddle = async () => {
    tell('Publishing. Every delivery is signed with the old secret.')
    await until(plan.rotateAtMs)
    const rotated = await client.endpoints.rotateSecret(project, endpoint.id, {
      expireCurrentIn: plan.overlapSeconds,
    })
    secrets.push({ id: rotated.secretId, name: 'new' })
    tell(`Rotated. For ${plan.overlapSeconds} s both secrets sign every delivery.`)
    await until(plan.trustBothAtMs)
    trust('both', [endpoint.secret, rotated.secret])
    tell('The receiver is deployed with both secrets.')
    await until(plan.trustNewAtMs)
    trust('new', [rotated.secret])
    tell('The receiver drops the old secret.')
    await until(plan.rotateAtMs + plan.overlapSeconds * 1000)
    tell('The window is over. Only the new secret signs.')
  }
  const publish = async () => {
    const { id } = await client.events.publish(project, { type: 'order.paid', data: { total: 42 } })
    figures.published(id)
  }

  return {
    now: () => ({
      atMs: elapsedMs(),
      totalMs: plan.totalMs,
      sliceMs,
      slices: figures.slices(),
      secrets,
      trusts,
      totals: figures.totals(),
      story,
    }),
    async tell() {
      startedAt = monotonic()
      trust('old', [endpoint.secret])
      const durationMs = plan.totalMs
      const pace = { ratePerSecond, durationMs, monotonic, signal: ended.signal }
      await togetherToTheEnd(ended, [rotateInTheMiddle(), publishSteadily({ publish, ...pace })])
      const giveUpAtMs = elapsedMs() + drainMsMax
      while (figures.totals().lost > 0 && elapsedMs() < giveUpAtMs) {
        await sleep(drainPollMs, undefined, { signal })
      }
      return figures.totals()
    },
  }
}

/** When one fails the others end early, and no call is left under way; throws the first failure. */
async function togetherToTheEnd(
  ended: AbortController,
  parts: readonly Promise<void>[],
): Promise<void> {
  const failures: unknown[] = []
  const endAll = (error: unknown) => {
    failures.push(error)
    ended.abort()
  }
  await Promise.all(parts.map((part) => part.catch(endAll)))
  if (failures.length > 0) throw failures[0]
}

/** Room on the time line for the last deliveries. */
const drainShownMs = 500
/** What has not arrived by then counts as lost; longer than a few retries take. */
const drainMsMax = 20_000
const drainPollMs = 20
