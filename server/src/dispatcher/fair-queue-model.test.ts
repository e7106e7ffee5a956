import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createFairQueue, type FairJob } from './fair-queue.ts'

interface Job extends FairJob {
  number: number
}

test('agrees with a queue that looks through everything at every step', () => {
  const endpoint = fc.nat(11)
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ do: fc.constant('push' as const), endpoint, isRetry: fc.boolean() }),
    },
    { weight: 8, arbitrary: fc.record({ do: fc.constant('next' as const) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('done' as const), which: fc.nat(1000) }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('shut' as const), endpoint, forMs: fc.nat(30) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('wait' as const),
        ms: fc.integer({ min: -20, max: 20 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('drain' as const), endpoint }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('learn' as const), endpoint, isPrompt: fc.boolean() }),
    },
  )
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 30 }),
      fc.array(step, { maxLength: 300, size: 'max' }),
      (slotsMax, steps) => {
        const model = new Model(slotsMax)
        const queue = createFairQueue<Job>({
          slotsMax,
          gate: (job, now) => model.gate(job.endpointId, now),
          isPrompt: (id) => model.prompt.has(id),
        })
        for (const [number, each] of steps.entries()) {
          if (each.do === 'push') {
            const projectId = `p${each.endpoint % 4}`
            const job = {
              projectId,
              endpointId: `e${each.endpoint}`,
              isRetry: each.isRetry,
              number,
            }
            model.waiting.push(job)
            queue.push(job)
          } else if (each.do === 'next') {
            model.begin()
            model.check(queue.next(model.now))
          } else if (each.do === 'done') {
            const job = model.running[each.which % model.running.length]
            if (job === undefined) continue
            model.running = model.running.filter((other) => other !== job)
            queue.done(job)
            model.forget(job.endpointId)
          } else if (each.do === 'shut') {
            model.openAt.set(`e${each.endpoint}`, model.now + each.forMs)
          } else if (each.do === 'learn') {
            const endpointId = `e${each.endpoint}`
            if (each.isPrompt) model.prompt.add(endpointId)
            else model.prompt.delete(endpointId)
            queue.setPrompt(endpointId, each.isPrompt)
          } else if (each.do === 'wait') {
            model.now += each.ms
          } else {
            assert.deepEqual(queue.drain(`e${each.endpoint}`), model.drain(`e${each.endpoint}`))
          }
          assert.equal(queue.size, model.waiting.length)
          assert.equal(queue.inFlight, model.running.length)
          assert.equal(queue.wakeAt(), model.wakeAt())
          assert.equal(queue.queued('e0'), model.linesOf('e0').flat().length)
        }
      },
    ),
    { numRuns: 1000 },
  )
})

/** The rules, with nothing remembered but the jobs and what the gates said. */
class Model {
  now = 1000
  askedAt = 0
  waiting: Job[] = []
  running: Job[] = []
  prompt = new Set<string>()
  openAt = new Map<string, number>()
  /** What gates have answered. */
  shutUntil = new Map<string, number>()
  freshInARow = new Map<string, number>()
  readonly slotsMax: number

  constructor(slotsMax: number) {
    this.slotsMax = slotsMax
  }

  gate(endpointId: string, now: number): number {
    const openAt = this.openAt.get(endpointId) ?? 0
    assert.ok(this.lineOf(endpointId), 'the gate is asked only for a job that can go')
    if (openAt <= now) return 0
    this.shutUntil.set(endpointId, openAt)
    return openAt
  }

  begin(): void {
    for (const [endpointId, until] of this.shutUntil) {
      if (until <= this.now || this.now < this.askedAt) this.shutUntil.delete(endpointId)
    }
    this.askedAt = this.now
  }

  check(job: Job | null): void {
    if (job === null) {
      const able = this.endpointIds().filter((id) => this.lineOf(id) !== null)
      assert.deepEqual(able, [], 'something could have gone')
      return
    }
    assert.equal(job, this.lineOf(job.endpointId)?.[0])
    this.waiting = this.waiting.filter((other) => other !== job)
    this.running.push(job)
    const before = this.freshInARow.get(job.endpointId) ?? 0
    this.freshInARow.set(job.endpointId, job.isRetry ? 0 : before + 1)
  }

  drain(endpointId: string): Job[] {
    const drained = this.linesOf(endpointId).flat()
    this.waiting = this.waiting.filter((job) => job.endpointId !== endpointId)
    this.shutUntil.delete(endpointId)
    this.forget(endpointId)
    return drained
  }

  /** An endpoint with nothing waiting and nothing under way begins anew. */
  forget(endpointId: string): void {
    const isKnown = [...this.waiting, ...this.running].some((job) => job.endpointId === endpointId)
    if (!isKnown) this.freshInARow.delete(endpointId)
  }

  wakeAt(): number | null {
    return this.shutUntil.size === 0 ? null : Math.min(...this.shutUntil.values())
  }

  /** The line from which the endpoint's next job would come; null when none can go. */
  lineOf(endpointId: string): Job[] | null {
    const taken = this.running.filter((job) => job.endpointId === endpointId).length
    const [fresh, retries] = this.linesOf(endpointId)
    if (this.shutUntil.has(endpointId) || this.running.length >= this.slotsMax) return null
    const share = Math.floor(this.slotsMax / 10)
    const isAlone = this.endpointIds().length === 1
    const mayBorrow = isAlone && this.slotsMax - this.running.length > share
    if (taken >= Math.max(1, share) && !mayBorrow) return null
    const slow = this.prompt.has(endpointId)
      ? []
      : this.running.filter((job) => !this.prompt.has(job.endpointId))
    if (slow.length >= Math.max(1, Math.floor((this.slotsMax * 3) / 4))) return null
    const slowRetrySlots = Math.max(1, Math.floor(this.slotsMax / 2))
    if (slow.filter((job) => job.isRetry).length >= slowRetrySlots) {
      return fresh.length > 0 ? fresh : null
    }
    const retrySlots = Math.max(1, Math.floor((this.slotsMax * 3) / 4))
    const mayRetry =
      retries.length > 0 && this.running.filter((job) => job.isRetry).length < retrySlots
    const isRetryTurn = (this.freshInARow.get(endpointId) ?? 0) >= 3
    if (mayRetry && (fresh.length === 0 || isRetryTurn)) return retries
    return fresh.length > 0 ? fresh : null
  }

  linesOf(endpointId: string): [Job[], Job[]] {
    const jobs = this.waiting.filter((job) => job.endpointId === endpointId)
    return [jobs.filter((job) => !job.isRetry), jobs.filter((job) => job.isRetry)]
  }

  /** The endpoints that wait and whose gate is not known to be shut. */
  endpointIds(): string[] {
    const ids = new Set(this.waiting.map((job) => job.endpointId))
    return [...ids].filter((id) => !this.shutUntil.has(id))
  }
}
