import assert from 'node:assert/strict'
import {
  createLane,
  createRound,
  type FairJob,
  joinProject,
  type Lane,
  laneLength,
  leaveProject,
  type Round,
} from './fair-lanes.ts'
import { type Fifo, fifoLength, peekFirst, pushLast, takeFirst } from './fifo.ts'
import { addLast, createRing, type Ring, remove } from './ring.ts'
import { addToHeap, createTimeHeap, earliest, removeFromHeap, type TimeHeap } from './time-heap.ts'

export type { FairJob } from './fair-lanes.ts'

export interface FairQueueOptions<Job extends FairJob> {
  /** Jobs under way at a time, in all. */
  slotsMax: number
  /**
   * Asked for the one job that would go now: 0 when its endpoint may be sent to, else the time at
   * which to ask again. 0 may use up a token, for then the job does go.
   */
  gate: (job: Job, now: number) => number
  /** Whether the endpoint is known to answer soon; asked when the queue meets it anew. */
  isPrompt: (endpointId: string) => boolean
}

/**
 * Decides which delivery goes next (delivery.md, Retry). Lives in one thread; every call takes
 * constant time, except that an endpoint whose gate is closed costs the logarithm of their number.
 *
 * - Turns go round the projects, and within a project round its endpoints.
 * - Endpoints that answer soon have a round of their own, and every other turn. All others, the
 *   untried among them, take at most three quarters of the slots together, and half with retries: so
 *   however many receivers hang, the rest does not wait for their timeouts.
 * - Within an endpoint: first come, first served; first attempts before retries, but a retry after
 *   every third.
 * - Retries take at most three quarters of the slots.
 * - An endpoint takes at most a tenth of the slots while another endpoint waits whose gate is open
 *   as far as is known. Alone it may take more, but the last tenth stays free for whoever comes:
 *   otherwise one receiver that hangs would make the next one wait for its timeouts.
 */
export interface FairQueue<Job extends FairJob> {
  push(job: Job): void
  /** The job to start now, its slot taken; null when none can start. */
  next(now: number): Job | null
  /** Frees the slot of a job that `next` gave out. To be called once for each. */
  done(job: Job): void
  /** Takes out what waits for an endpoint, oldest first attempts first. */
  drain(endpointId: string): Job[]
  /** Takes out everything that waits. */
  drainAll(): Job[]
  /** The endpoint has shown that it answers soon, or that it does not. */
  setPrompt(endpointId: string, isPrompt: boolean): void
  /** Asks the gate of an endpoint again, although it gave a later time: its limit has changed. */
  reopen(endpointId: string): void
  /** How many jobs wait for an endpoint. */
  queued(endpointId: string): number
  /** When the gate of a waiting endpoint is to be asked again, at the earliest; null for never. */
  wakeAt(): number | null
  /** How many jobs wait. */
  readonly size: number
  /** How many slots are taken. */
  readonly inFlight: number
}

export function createFairQueue<Job extends FairJob>(
  options: FairQueueOptions<Job>,
): FairQueue<Job> {
  assert(Number.isInteger(options.slotsMax) && options.slotsMax > 0, 'slotsMax must be positive')
  const queue: Queue<Job> = {
    ...options,
    retrySlotsMax: Math.max(1, Math.floor(options.slotsMax * RETRY_SHARE_MAX)),
    slowSlotsMax: Math.max(1, Math.floor(options.slotsMax * SLOW_SHARE_MAX)),
    slowRetrySlotsMax: Math.max(1, Math.floor(options.slotsMax * SLOW_RETRY_SHARE_MAX)),
    laneSlotsMax: Math.max(1, Math.floor(options.slotsMax * LANE_SHARE_MAX)),
    spareSlots: Math.floor(options.slotsMax * LANE_SHARE_MAX),
    lanes: new Map(),
    prompt: createRound(true),
    slow: createRound(false),
    isPromptTurn: true,
    full: createRing(),
    shut: createTimeHeap(),
    queuedCount: 0,
    waitingCount: 0,
    takenCount: 0,
    takenByRetriesCount: 0,
    slowTakenCount: 0,
    slowTakenByRetriesCount: 0,
    askedAt: Number.NEGATIVE_INFINITY,
  }
  return {
    push: (job) => push(queue, job),
    next: (now) => next(queue, now),
    done: (job) => done(queue, job),
    drain: (endpointId) => drain(queue, queue.lanes.get(endpointId)),
    drainAll: () => [...queue.lanes.values()].flatMap((lane) => drain(queue, lane)),
    setPrompt(endpointId, isPrompt) {
      const lane = queue.lanes.get(endpointId)
      if (lane === undefined || lane.project.round.isPrompt === isPrompt) return
      changeRound(queue, lane, isPrompt ? queue.prompt : queue.slow)
    },
    reopen: (endpointId) => reopen(queue, queue.lanes.get(endpointId)),
    queued: (endpointId) => laneLength(queue.lanes.get(endpointId)),
    wakeAt: () => earliest(queue.shut)?.wakeAt ?? null,
    get size() {
      return queue.queuedCount
    },
    get inFlight() {
      return queue.takenCount
    },
  }
}

interface Queue<Job extends FairJob> extends FairQueueOptions<Job> {
  retrySlotsMax: number
  /** For all endpoints together that are not known to answer soon. */
  slowSlotsMax: number
  slowRetrySlotsMax: number
  laneSlotsMax: number
  /** Slots that no endpoint gets beyond its share. */
  spareSlots: number
  /** Every endpoint with jobs waiting or under way. */
  lanes: Map<string, Lane<Job>>
  prompt: Round<Job>
  slow: Round<Job>
  /** Whose turn it is where both could go. */
  isPromptTurn: boolean
  /** Lanes that have all the slots they may have. */
  full: Ring<Lane<Job>>
  /** Lanes whose gate is shut, by when to ask it again. */
  shut: TimeHeap<Lane<Job>>
  queuedCount: number
  /** Lanes with jobs, but those whose gate is shut. */
  waitingCount: number
  takenCount: number
  takenByRetriesCount: number
  /** What the lanes of the slow round have of both. */
  slowTakenCount: number
  slowTakenByRetriesCount: number
  askedAt: number
}

function push<Job extends FairJob>(queue: Queue<Job>, job: Job): void {
  const lane = queue.lanes.get(job.endpointId) ?? addLane(queue, job)
  pushLast(job.isRetry ? lane.retries : lane.fresh, job)
  queue.queuedCount += 1
  if (lane.place === 'empty' || (lane.place === 'held' && !job.isRetry)) move(queue, lane, 'ready')
}

function next<Job extends FairJob>(queue: Queue<Job>, now: number): Job | null {
  wakeLanes(queue, now)
  if (queue.takenCount >= queue.slotsMax) return null
  // One a call, ahead of need: lanes held back get their turns while others keep the queue busy.
  readmitHeld(queue, queue.prompt)
  readmitHeld(queue, queue.slow)
  for (;;) {
    const lane = firstReady(queue) ?? firstReadmitted(queue)
    if (lane === null) return null
    if (!hasRoom(queue, lane)) {
      move(queue, lane, 'full')
      continue
    }
    const line = lineOf(queue, lane)
    if (line === null) {
      move(queue, lane, 'held')
      continue
    }
    const first = peekFirst(line)
    assert(first !== undefined, 'a lane in the round has a job')
    const openAt = queue.gate(first, now)
    if (openAt > 0) {
      lane.wakeAt = openAt
      move(queue, lane, 'shut')
      continue
    }
    return start(queue, lane, line)
  }
}

function done<Job extends FairJob>(queue: Queue<Job>, job: Job): void {
  const lane = queue.lanes.get(job.endpointId)
  assert(lane !== undefined && lane.takenCount > 0, 'done without next')
  countTaken(queue, lane, job, -1)
  if (lane.place === 'full' && lane.takenCount < queue.laneSlotsMax) move(queue, lane, 'ready')
  removeIfUnused(queue, lane)
}

function drain<Job extends FairJob>(queue: Queue<Job>, lane: Lane<Job> | undefined): Job[] {
  const jobs: Job[] = []
  if (lane === undefined) return jobs
  for (const line of [lane.fresh, lane.retries]) {
    for (let job = takeFirst(line); job !== undefined; job = takeFirst(line)) jobs.push(job)
  }
  queue.queuedCount -= jobs.length
  move(queue, lane, 'empty')
  removeIfUnused(queue, lane)
  return jobs
}

function reopen<Job extends FairJob>(queue: Queue<Job>, lane: Lane<Job> | undefined): void {
  if (lane?.place === 'shut') move(queue, lane, 'ready')
}

/** Moves the lanes whose time has come back into the round. */
function wakeLanes<Job extends FairJob>(queue: Queue<Job>, now: number): void {
  // The clock has stepped back: the times that gates gave mean nothing now, so ask them all again.
  const dueAt = now < queue.askedAt ? Number.POSITIVE_INFINITY : now
  queue.askedAt = now
  for (let lane = earliest(queue.shut); lane !== undefined; lane = earliest(queue.shut)) {
    if (lane.wakeAt > dueAt) return
    move(queue, lane, 'ready')
  }
}

/** The lane whose turn it is, of those that may take a slot. */
function firstReady<Job extends FairJob>(queue: Queue<Job>): Lane<Job> | null {
  const prompt = queue.prompt.turns.first?.ready.first ?? null
  if (queue.slowTakenCount >= queue.slowSlotsMax) return prompt
  const slow = queue.slow.turns.first?.ready.first ?? null
  if (prompt === null || slow === null) return prompt ?? slow
  return queue.isPromptTurn ? prompt : slow
}

function firstReadmitted<Job extends FairJob>(queue: Queue<Job>): Lane<Job> | null {
  const isAnyReady =
    readmitHeld(queue, queue.prompt) || readmitHeld(queue, queue.slow) || readmitAlone(queue)
  return isAnyReady ? firstReady(queue) : null
}

/** Brings back the lane that was held longest, if retries have a slot for it. */
function readmitHeld<Job extends FairJob>(queue: Queue<Job>, round: Round<Job>): boolean {
  const lane = round.held.first
  if (lane === null || !hasRetrySlot(queue, round)) return false
  move(queue, lane, 'ready')
  return true
}

/** Brings back a full lane that may have more than its share, for no other waits. */
function readmitAlone<Job extends FairJob>(queue: Queue<Job>): boolean {
  const lane = queue.full.first
  if (lane === null || !hasRoom(queue, lane)) return false
  move(queue, lane, 'ready')
  return true
}

function hasRetrySlot<Job extends FairJob>(queue: Queue<Job>, round: Round<Job>): boolean {
  if (queue.takenByRetriesCount >= queue.retrySlotsMax) return false
  return round.isPrompt || queue.slowTakenByRetriesCount < queue.slowRetrySlotsMax
}

function hasRoom<Job extends FairJob>(queue: Queue<Job>, lane: Lane<Job>): boolean {
  if (lane.takenCount < queue.laneSlotsMax) return true
  return queue.waitingCount === 1 && queue.slotsMax - queue.takenCount > queue.spareSlots
}

/** The line whose turn it is in a lane that is not empty; null where only a retry could go. */
function lineOf<Job extends FairJob>(queue: Queue<Job>, lane: Lane<Job>): Fifo<Job> | null {
  const hasFresh = fifoLength(lane.fresh) > 0
  const mayRetry = fifoLength(lane.retries) > 0 && hasRetrySlot(queue, lane.project.round)
  if (mayRetry && (!hasFresh || lane.freshInARow >= FRESH_PER_RETRY)) return lane.retries
  return hasFresh ? lane.fresh : null
}

function start<Job extends FairJob>(queue: Queue<Job>, lane: Lane<Job>, line: Fifo<Job>): Job {
  const job = takeFirst(line)
  assert(job !== undefined, 'a lane in the round has a job')
  lane.freshInARow = job.isRetry ? 0 : lane.freshInARow + 1
  queue.queuedCount -= 1
  countTaken(queue, lane, job, 1)
  endTurn(queue, lane)
  return job
}

function countTaken<Job extends FairJob>(
  queue: Queue<Job>,
  lane: Lane<Job>,
  job: FairJob,
  change: 1 | -1,
): void {
  const retryChange = job.isRetry ? change : 0
  lane.takenCount += change
  lane.takenByRetriesCount += retryChange
  queue.takenCount += change
  queue.takenByRetriesCount += retryChange
  if (lane.project.round.isPrompt) return
  queue.slowTakenCount += change
  queue.slowTakenByRetriesCount += retryChange
}

/** Sends the lane, and its project, to the end of the round; the other round is next. */
function endTurn<Job extends FairJob>(queue: Queue<Job>, lane: Lane<Job>): void {
  const { project } = lane
  const { turns, isPrompt } = project.round
  move(queue, lane, laneLength(lane) > 0 ? 'ready' : 'empty')
  if (project.ready.first !== null) {
    remove(turns, project)
    addLast(turns, project)
  }
  queue.isPromptTurn = !isPrompt
}

/** Takes the lane, with the slots that it has, from one round to the other. */
function changeRound<Job extends FairJob>(
  queue: Queue<Job>,
  lane: Lane<Job>,
  round: Round<Job>,
): void {
  const { place } = lane
  move(queue, lane, 'empty')
  const { id } = lane.project
  leaveProject(lane)
  lane.project = joinProject(round, id)
  const sign = round.isPrompt ? -1 : 1
  queue.slowTakenCount += sign * lane.takenCount
  queue.slowTakenByRetriesCount += sign * lane.takenByRetriesCount
  if (place !== 'empty') move(queue, lane, place === 'shut' ? 'shut' : 'ready')
}

/** Takes the lane from where it is to the end of where it belongs. */
function move<Job extends FairJob>(
  queue: Queue<Job>,
  lane: Lane<Job>,
  place: Lane<Job>['place'],
): void {
  if (isWaiting(lane)) queue.waitingCount -= 1
  const { project } = lane
  const { turns, held } = project.round
  if (lane.place === 'ready') {
    remove(project.ready, lane)
    if (project.ready.first === null && place !== 'ready') remove(turns, project)
  } else if (lane.place === 'full' || lane.place === 'held') {
    remove(lane.place === 'held' ? held : queue.full, lane)
  } else if (lane.place === 'shut') {
    removeFromHeap(queue.shut, lane)
  }
  if (place === 'ready') {
    if (project.ready.first === null && lane.place !== 'ready') addLast(turns, project)
    addLast(project.ready, lane)
  } else if (place === 'full' || place === 'held') {
    addLast(place === 'held' ? held : queue.full, lane)
  } else if (place === 'shut') {
    addToHeap(queue.shut, lane)
  }
  lane.place = place
  if (isWaiting(lane)) queue.waitingCount += 1
}

function isWaiting(lane: Lane<unknown>): boolean {
  return lane.place !== 'empty' && lane.place !== 'shut'
}

function addLane<Job extends FairJob>(queue: Queue<Job>, job: Job): Lane<Job> {
  const round = queue.isPrompt(job.endpointId) ? queue.prompt : queue.slow
  const lane = createLane<Job>(job, round)
  queue.lanes.set(job.endpointId, lane)
  return lane
}

/** Forgets an endpoint with nothing waiting and nothing under way, so that memory stays bounded. */
function removeIfUnused<Job extends FairJob>(queue: Queue<Job>, lane: Lane<Job>): void {
  if (lane.place !== 'empty' || lane.takenCount > 0) return
  queue.lanes.delete(lane.endpointId)
  leaveProject(lane)
}

/** Delivery.md: a quarter of the slots is for first attempts. */
const RETRY_SHARE_MAX = 3 / 4

/** What is not known to answer soon leaves a quarter to what is, and a quarter to its retries. */
const SLOW_SHARE_MAX = 3 / 4
const SLOW_RETRY_SHARE_MAX = 1 / 2

/** Delivery.md: an endpoint's share while others wait. */
const LANE_SHARE_MAX = 1 / 10

/** After so many first attempts in a row, a retry that waits at the same endpoint goes. */
const FRESH_PER_RETRY = 3
