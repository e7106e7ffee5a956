import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createFairQueue, type FairJob, type FairQueue } from './fair-queue.ts'

interface Job extends FairJob {
  number: number
}

const alwaysOpen = () => 0
const always = () => true

test('hands out jobs of one endpoint in the order in which they came', () => {
  const queue = createFairQueue<Job>({ slotsMax: 100, gate: alwaysOpen, isPrompt: always })
  const jobs = jobsOf('ep1', 5)
  for (const job of jobs) queue.push(job)
  assert.deepEqual(takeAll(queue), jobs)
  assert.equal(queue.size, 0)
  assert.equal(queue.inFlight, 5)
  assert.equal(queue.queued('ep1'), 0)
})

test('gives no more jobs than there are slots, and goes on as slots get free', () => {
  const queue = createFairQueue<Job>({ slotsMax: 3, gate: alwaysOpen, isPrompt: always })
  for (const job of jobsOf('ep1', 5)) queue.push(job)
  const [first, ...others] = takeAll(queue)
  assert.ok(first)
  assert.equal(others.length, 2)
  queue.done(first)
  assert.equal(takeAll(queue).length, 1)
  assert.equal(queue.queued('ep1'), 1)
})

test('leaves a quarter of the slots to first attempts', () => {
  const queue = createFairQueue<Job>({ slotsMax: 40, gate: alwaysOpen, isPrompt: always })
  for (let endpoint = 0; endpoint < 40; endpoint += 1) {
    for (const job of jobsOf(`ep${endpoint}`, 3, { isRetry: true })) queue.push(job)
  }
  const retries = takeAll(queue)
  assert.equal(retries.length, 30)
  for (let endpoint = 0; endpoint < 40; endpoint += 1)
    for (const job of jobsOf(`new${endpoint}`, 1)) queue.push(job)
  const fresh = takeAll(queue)
  assert.equal(fresh.length, 10)
  assert.ok(fresh.every((job) => !job.isRetry))
  // Of the 30 slots that get free, the 30 first attempts that wait come first in the round; then
  // the retries that were held back.
  for (const job of retries) queue.done(job)
  const running = [...fresh, ...takeAll(queue)]
  for (const job of running) queue.done(job)
  assert.equal(takeAll(queue).filter((job) => job.isRetry).length, 30)
})

test('lets retries that were held back go while first attempts keep coming', () => {
  const queue = createFairQueue<Job>({ slotsMax: 20, gate: alwaysOpen, isPrompt: always })
  for (let endpoint = 0; endpoint < 30; endpoint += 1) {
    for (const job of jobsOf(`ep${endpoint}`, 1, { isRetry: true })) queue.push(job)
  }
  const running = takeAll(queue)
  assert.equal(running.length, 15)
  for (let endpoint = 0; endpoint < 30; endpoint += 1) {
    for (const job of jobsOf(`new${endpoint}`, 100)) queue.push(job)
  }
  running.push(...takeAll(queue))
  for (let turn = 0; turn < 200; turn += 1) {
    const ended = running.shift()
    assert.ok(ended)
    queue.done(ended)
    running.push(...takeAll(queue))
  }
  assert.equal(queue.drainAll().filter((job) => job.isRetry).length, 0)
})

test('lets a retry go even where there is a single slot', () => {
  const queue = createFairQueue<Job>({ slotsMax: 1, gate: alwaysOpen, isPrompt: always })
  for (const job of jobsOf('ep1', 1, { isRetry: true })) queue.push(job)
  assert.equal(takeAll(queue).length, 1)
})

test('gives an endpoint a tenth of the slots while others wait', () => {
  const queue = createFairQueue<Job>({ slotsMax: 100, gate: alwaysOpen, isPrompt: always })
  for (const job of jobsOf('big', 200)) queue.push(job)
  for (const job of jobsOf('small', 200)) queue.push(job)
  const taken = takeAll(queue)
  assert.equal(taken.filter((job) => job.endpointId === 'big').length, 10)
  assert.equal(taken.filter((job) => job.endpointId === 'small').length, 10)
})

test('gives an endpoint that is alone all slots but the tenth that the next one needs', () => {
  const queue = createFairQueue<Job>({ slotsMax: 100, gate: alwaysOpen, isPrompt: always })
  for (const job of jobsOf('hangs', 200)) queue.push(job)
  assert.equal(takeAll(queue).length, 90)
  for (const job of jobsOf('other', 20)) queue.push(job)
  const others = takeAll(queue)
  assert.equal(others.length, 10)
  assert.ok(others.every((job) => job.endpointId === 'other'))
})

test('counts an endpoint whose gate is shut as not waiting', () => {
  const gate = ({ endpointId }: Job, now: number) => (endpointId === 'shut' ? now + 1000 : 0)
  const queue = createFairQueue<Job>({ slotsMax: 100, gate, isPrompt: always })
  for (const job of jobsOf('shut', 1)) queue.push(job)
  for (const job of jobsOf('open', 200)) queue.push(job)
  assert.equal(takeAll(queue).length, 90)
})

test('takes turns between projects, and between the endpoints of a project', () => {
  const queue = createFairQueue<Job>({ slotsMax: 1000, gate: alwaysOpen, isPrompt: always })
  for (const [projectId, endpointIds] of [
    ['p1', ['a', 'b', 'c']],
    ['p2', ['d']],
  ] as const) {
    for (const endpointId of endpointIds) {
      for (const job of jobsOf(endpointId, 4, { projectId })) queue.push(job)
    }
  }
  const order = takeAll(queue).map((job) => job.endpointId)
  assert.equal(order.slice(0, 8).join(''), 'adbdcdad')
  assert.equal(order.slice(8).join(''), 'bcabcabc')
})

test('serves a small project at once, however much another has queued', () => {
  const queue = createFairQueue<Job>({ slotsMax: 10, gate: alwaysOpen, isPrompt: always })
  for (let endpoint = 0; endpoint < 500; endpoint += 1) {
    for (const job of jobsOf(`big${endpoint}`, 20, { projectId: 'big' })) queue.push(job)
  }
  const running = takeAll(queue)
  for (const job of jobsOf('small', 1, { projectId: 'small' })) queue.push(job)
  for (let turn = 0; turn < 2; turn += 1) {
    const ended = running.shift()
    assert.ok(ended)
    queue.done(ended)
    running.push(...takeAll(queue))
  }
  assert.ok(running.some((job) => job.endpointId === 'small'))
})

test('sends first attempts before retries, and still a retry after every third', () => {
  const queue = createFairQueue<Job>({ slotsMax: 100, gate: alwaysOpen, isPrompt: always })
  for (const job of jobsOf('ep1', 3, { isRetry: true })) queue.push(job)
  for (const job of jobsOf('ep1', 7)) queue.push(job)
  const kinds = takeAll(queue).map((job) => (job.isRetry ? 'R' : 'f'))
  assert.equal(kinds.join(''), 'fffRfffRfR')
})

test('asks a gate only for a job that can go, and again at the time that it gave', () => {
  let openAt = 500
  const asked: number[] = []
  const gate = (_job: Job, now: number) => {
    asked.push(now)
    return now < openAt ? openAt : 0
  }
  const queue = createFairQueue<Job>({ slotsMax: 1, gate, isPrompt: always })
  for (const job of jobsOf('ep1', 2)) queue.push(job)
  assert.equal(queue.next(100), null)
  assert.equal(queue.next(200), null)
  assert.equal(queue.wakeAt(), 500)
  assert.deepEqual(asked, [100])
  openAt = 0
  assert.equal(queue.next(499), null)
  assert.ok(queue.next(500))
  assert.equal(queue.wakeAt(), null)
  assert.equal(queue.next(501), null)
  assert.deepEqual(asked, [100, 500])
})

test('asks a gate again when it is told that the limit has changed', () => {
  let openAt = 500
  const queue = createFairQueue<Job>({ slotsMax: 1, gate: () => openAt, isPrompt: always })
  for (const job of jobsOf('ep1', 1)) queue.push(job)
  assert.equal(queue.next(100), null)
  openAt = 0
  queue.reopen('ep1')
  queue.reopen('unknown')
  assert.ok(queue.next(101))
})

test('asks gates again when the clock has stepped back', () => {
  let openAt = 3_600_000
  const queue = createFairQueue<Job>({ slotsMax: 1, gate: () => openAt, isPrompt: always })
  for (const job of jobsOf('ep1', 1)) queue.push(job)
  assert.equal(queue.next(3_590_000), null)
  openAt = 0
  assert.equal(queue.next(3_590_001), null)
  assert.ok(queue.next(1_000))
})

test('leaves a quarter of the slots to endpoints that answer soon, and every other turn', () => {
  const isPrompt = (endpointId: string) => endpointId === 'prompt'
  const queue = createFairQueue<Job>({ slotsMax: 40, gate: alwaysOpen, isPrompt })
  for (let endpoint = 0; endpoint < 1_000; endpoint += 1) {
    for (const job of jobsOf(`hangs${endpoint}`, 2)) queue.push(job)
  }
  const hanging = takeAll(queue)
  assert.equal(hanging.length, 30)
  // One that is not known yet waits for a turn; one that is known to answer does not.
  for (const job of jobsOf('untried', 1)) queue.push(job)
  assert.deepEqual(takeAll(queue), [])
  for (const job of jobsOf('prompt', 20)) queue.push(job)
  const prompt = takeAll(queue)
  assert.equal(prompt.length, 4, 'its share as one endpoint')
  assert.ok(prompt.every(({ endpointId }) => endpointId === 'prompt'))
  for (let turn = 0; turn < 16; turn += 1) {
    const ended = prompt.shift()
    assert.ok(ended)
    queue.done(ended)
    prompt.push(...takeAll(queue))
  }
  assert.equal(queue.queued('prompt'), 0)
  assert.equal(queue.inFlight, 34)
})

test('moves an endpoint that changes its ways, with the slots that it has', () => {
  const queue = createFairQueue<Job>({ slotsMax: 40, gate: alwaysOpen, isPrompt: always })
  for (let endpoint = 0; endpoint < 50; endpoint += 1) {
    for (const job of jobsOf(`ep${endpoint}`, 3)) queue.push(job)
  }
  const running = takeAll(queue)
  assert.equal(running.length, 40)
  for (let endpoint = 0; endpoint < 49; endpoint += 1) queue.setPrompt(`ep${endpoint}`, false)
  for (const job of running.splice(0, 10)) queue.done(job)
  // Thirty of the slow ones are still under way, so only the last one may go.
  const started = takeAll(queue)
  assert.deepEqual(new Set(started.map(({ endpointId }) => endpointId)), new Set(['ep49']))
  queue.setPrompt('ep0', true)
  queue.setPrompt('unknown', true)
  assert.deepEqual(new Set(takeAll(queue).map(({ endpointId }) => endpointId)), new Set(['ep0']))
})

test('drains an endpoint without touching the others', () => {
  const gate = ({ endpointId }: Job) => (endpointId === 'shut' ? 1000 : 0)
  const queue = createFairQueue<Job>({ slotsMax: 1, gate, isPrompt: always })
  for (const job of jobsOf('shut', 2, { isRetry: true })) queue.push(job)
  for (const job of jobsOf('shut', 2)) queue.push(job)
  for (const job of jobsOf('open', 2)) queue.push(job)
  assert.equal(takeAll(queue).length, 1)
  assert.deepEqual(
    queue.drain('shut').map((job) => job.isRetry),
    [false, false, true, true],
  )
  assert.equal(queue.wakeAt(), null)
  assert.equal(queue.size, 1)
  assert.deepEqual(queue.drain('unknown'), [])
  assert.equal(queue.drainAll().length, 1)
  assert.equal(queue.size, 0)
  assert.equal(queue.next(5000), null)
})

test('refuses to free a slot that nobody took', () => {
  const queue = createFairQueue<Job>({ slotsMax: 1, gate: alwaysOpen, isPrompt: always })
  const [job] = jobsOf('ep1', 1)
  assert.ok(job)
  assert.throws(() => queue.done(job))
})

test('gives every project the same number of turns in a long run', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 2, maxLength: 8 }),
      fc.integer({ min: 10, max: 40 }),
      (endpointCounts, slotsMax) => {
        const queue = createFairQueue<Job>({ slotsMax, gate: alwaysOpen, isPrompt: always })
        for (const [project, count] of endpointCounts.entries()) {
          for (let endpoint = 0; endpoint < count; endpoint += 1) {
            const projectId = `p${project}`
            for (const job of jobsOf(`${projectId}e${endpoint}`, 400, { projectId }))
              queue.push(job)
          }
        }
        // Every job ends before the next begins, so that only turns decide.
        const turns = new Map<string, number>()
        for (let turn = 0; turn < endpointCounts.length * 50; turn += 1) {
          const job = queue.next(0)
          assert.ok(job)
          turns.set(job.projectId, (turns.get(job.projectId) ?? 0) + 1)
          queue.done(job)
        }
        assert.deepEqual([...new Set(turns.values())], [50])
      },
    ),
  )
})

test('keeps pushing and taking cheap, however many endpoints wait or have shut gates', () => {
  const gate = ({ endpointId }: Job, now: number) => (endpointId.startsWith('shut') ? now + 1e6 : 0)
  const perJobUs = (endpoints: number) => {
    const queue = createFairQueue<Job>({ slotsMax: 200, gate, isPrompt: always })
    for (let endpoint = 0; endpoint < endpoints; endpoint += 1) {
      for (const job of [...jobsOf(`ep${endpoint}`, 1), ...jobsOf(`shut${endpoint}`, 1)])
        queue.push(job)
      for (const job of jobsOf(`ep${endpoint}`, 1, { isRetry: true })) queue.push(job)
    }
    const running = takeAll(queue)
    const startedAt = performance.now()
    for (let turn = 0; turn < 20_000; turn += 1) {
      const job = running[turn % running.length]
      assert.ok(job)
      queue.done(job)
      queue.push(job)
      const started = queue.next(0)
      assert.ok(started)
      running[turn % running.length] = started
    }
    return ((performance.now() - startedAt) * 1000) / 20_000
  }
  const best = (endpoints: number) => Math.min(...[1, 2, 3, 4].map(() => perJobUs(endpoints)))
  const few = best(300)
  const many = best(10_000)
  // A queue that looks through its endpoints would be 30 times slower; caches account for some.
  assert.ok(many < few * 12 + 5, `${few} µs with 300 endpoints, ${many} µs with 10,000`)
})

function jobsOf(endpointId: string, count: number, more: Partial<Job> = {}): Job[] {
  const job = { projectId: 'p1', endpointId, isRetry: false, number: 0, ...more }
  return Array.from({ length: count }, (_, number) => ({ ...job, number }))
}

function takeAll(queue: FairQueue<Job>): Job[] {
  const taken: Job[] = []
  for (let job = queue.next(0); job !== null; job = queue.next(0)) taken.push(job)
  return taken
}
