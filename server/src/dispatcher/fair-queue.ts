import assert from 'node:assert/strict'
import { createFifo, type Fifo, fifoLength, pushLast, takeFirst } from './fifo.ts'
import { addLast, createRing, type Ring, type RingLinks, remove } from './ring.ts'
import {
  addToHeap,
  createTimeHeap,
  earliest,
  type HeapLinks,
  removeFromHeap,
  type TimeHeap,
} from './time-heap.ts'

/** What the queue looks at in a job; it must not change while the queue knows the job. */
export interface FairJob {
  projectId: string
  endpointId: string
  isRetry: boolean
}

export interface FairQueueOptions {
  /** Jobs under way at a time, in all. */
  slotsMax: number
  /**
   * Asked for the one job that would go now: 0 when its endpoint may be sent to, else the time at
   * which to ask again. 0 may use up a token, for then the job does go.
   */
  gate: (endpointId: string, now: number) => number
}

/**
 * Decides which delivery goes next (delivery.md, Retry). Lives in one thread; every call takes
 * constant time, except that an endpoint whose gate is closed costs the logarithm of their number.
 *
 * - Turns go round the projects, and within a project round its endpoints.
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

export function createFairQueue<Job extends FairJob>(options: FairQueueOptions): FairQueue<Job> {
  assert(Number.isInteger(options.slotsMax) && options.slotsMax > 0, 'slotsMax must be positive')
  const queue: Queue<Job> = {
    ...options,
    retrySlotsMax: Math.max(1, Math.floor(options.slotsMax * RETRY_SHARE_MAX)),
    laneSlotsMax: Math.max(1, Math.floor(options.slotsMax * LANE_SHARE_MAX)),
    spareSlots: Math.floor(options.slotsMax * LANE_SHARE_MAX),
    lanes: new Map(),
    projects: new Map(),
    turns: createRing(),
    full: createRing(),
    held: createRing(),
    shut: createTimeHeap(),
    queuedCount: 0,
    waitingCount: 0,
    takenCount: 0,
    takenByRetriesCount: 0,
    askedAt: Number.NEGATIVE_INFINITY,
  }
  return {
    push: (job) => push(queue, job),
    next: (now) => next(queue, now),
    done: (job) => done(queue, job),
    drain: (endpointId) => drain(queue, queue.lanes.get(endpointId)),
    drainAll: () => [...queue.lanes.values()].flatMap((lane) => drain(queue, lane)),
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

interface Queue<Job> extends FairQueueOptions {
  retrySlotsMax: number
  laneSlotsMax: number
  /** Slots that no endpoint gets beyond its share. */
  spareSlots: number
  /** Every endpoint with jobs waiting or under way. */
  lanes: Map<string, Lane<Job>>
  projects: Map<string, Project<Job>>
  /** The projects that have a ready lane, in the order of their turns. */
  turns: Ring<Project<Job>>
  /** Lanes that have all the slots they may have. */
  full: Ring<Lane<Job>>
  /** Lanes with nothing but retries, set aside while retries have all the slots they may have. */
  held: Ring<Lane<Job>>
  /** Lanes whose gate is shut, by when to ask it again. */
  shut: TimeHeap<Lane<Job>>
  queuedCount: number
  /** Lanes with jobs, but those whose gate is shut. */
  waitingCount: number
  takenCount: number
  takenByRetriesCount: number
  askedAt: number
}

interface Project<Job> extends RingLinks<Project<Job>> {
  id: string
  ready: Ring<Lane<Job>>
  laneCount: number
}

/** One endpoint's jobs. */
interface Lane<Job> extends RingLinks<Lane<Job>>, HeapLinks {
  endpointId: string
  project: Project<Job>
  fresh: Fifo<Job>
  retries: Fifo<Job>
  freshInARow: number
  takenCount: number
  /** `empty`: no job waits; else the ring, or heap, that it is in. */
  place: 'empty' | 'ready' | 'full' | 'held' | 'shut'
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
  readmitHeld(queue)
  for (;;) {
    const lane = queue.turns.first?.ready.first ?? readmitHeld(queue) ?? readmitAlone(queue)
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
    const openAt = queue.gate(lane.endpointId, now)
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
  lane.takenCount -= 1
  queue.takenCount -= 1
  if (job.isRetry) queue.takenByRetriesCount -= 1
  if (lane.place === 'full' && lane.takenCount < queue.laneSlotsMax) move(queue, lane, 'ready')
  removeIfUnused(queue, lane)
}

function drain<Job>(queue: Queue<Job>, lane: Lane<Job> | undefined): Job[] {
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

function reopen<Job>(queue: Queue<Job>, lane: Lane<Job> | undefined): void {
  if (lane?.place === 'shut') move(queue, lane, 'ready')
}

/** Moves the lanes whose time has come back into the round. */
function wakeLanes<Job>(queue: Queue<Job>, now: number): void {
  // The clock has stepped back: the times that gates gave mean nothing now, so ask them all again.
  const dueAt = now < queue.askedAt ? Number.POSITIVE_INFINITY : now
  queue.askedAt = now
  for (let lane = earliest(queue.shut); lane !== undefined; lane = earliest(queue.shut)) {
    if (lane.wakeAt > dueAt) return
    move(queue, lane, 'ready')
  }
}

/** Brings back the lane that was held longest, if retries have a slot for it. */
function readmitHeld<Job>(queue: Queue<Job>): Lane<Job> | null {
  const lane = queue.held.first
  if (lane === null || queue.takenByRetriesCount >= queue.retrySlotsMax) return null
  move(queue, lane, 'ready')
  return lane
}

/** Brings back a full lane that may have more than its share, for no other waits. */
function readmitAlone<Job>(queue: Queue<Job>): Lane<Job> | null {
  const lane = queue.full.first
  if (lane === null || !hasRoom(queue, lane)) return null
  move(queue, lane, 'ready')
  return lane
}

function hasRoom<Job>(queue: Queue<Job>, lane: Lane<Job>): boolean {
  if (lane.takenCount < queue.laneSlotsMax) return true
  return queue.waitingCount === 1 && queue.slotsMax - queue.takenCount > queue.spareSlots
}

/** The line whose turn it is in a lane that is not empty; null where only a retry could go. */
function lineOf<Job>(queue: Queue<Job>, lane: Lane<Job>): Fifo<Job> | null {
  const hasFresh = fifoLength(lane.fresh) > 0
  const mayRetry = fifoLength(lane.retries) > 0 && queue.takenByRetriesCount < queue.retrySlotsMax
  if (mayRetry && (!hasFresh || lane.freshInARow >= FRESH_PER_RETRY)) return lane.retries
  return hasFresh ? lane.fresh : null
}

function start<Job extends FairJob>(queue: Queue<Job>, lane: Lane<Job>, line: Fifo<Job>): Job {
  const job = takeFirst(line)
  assert(job !== undefined, 'a lane in the round has a job')
  lane.freshInARow = job.isRetry ? 0 : lane.freshInARow + 1
  lane.takenCount += 1
  queue.takenCount += 1
  queue.queuedCount -= 1
  if (job.isRetry) queue.takenByRetriesCount += 1
  endTurn(queue, lane)
  return job
}

/** Sends the lane, and its project, to the end of the round. */
function endTurn<Job>(queue: Queue<Job>, lane: Lane<Job>): void {
  const { project } = lane
  move(queue, lane, laneLength(lane) > 0 ? 'ready' : 'empty')
  if (project.ready.first !== null) {
    remove(queue.turns, project)
    addLast(queue.turns, project)
  }
}

/** Takes the lane from where it is to the end of where it belongs. */
function move<Job>(queue: Queue<Job>, lane: Lane<Job>, place: Lane<Job>['place']): void {
  if (isWaiting(lane)) queue.waitingCount -= 1
  const { project } = lane
  if (lane.place === 'ready') {
    remove(project.ready, lane)
    if (project.ready.first === null && place !== 'ready') remove(queue.turns, project)
  } else if (lane.place === 'full' || lane.place === 'held') {
    remove(queue[lane.place], lane)
  } else if (lane.place === 'shut') {
    removeFromHeap(queue.shut, lane)
  }
  if (place === 'ready') {
    if (project.ready.first === null && lane.place !== 'ready') addLast(queue.turns, project)
    addLast(project.ready, lane)
  } else if (place === 'full' || place === 'held') {
    addLast(queue[place], lane)
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
  const project = queue.projects.get(job.projectId) ?? addProject(queue, job.projectId)
  const lane: Lane<Job> = {
    endpointId: job.endpointId,
    project,
    fresh: createFifo(),
    retries: createFifo(),
    freshInARow: 0,
    takenCount: 0,
    place: 'empty',
    wakeAt: 0,
    heapIndex: 0,
    previous: null,
    next: null,
  }
  project.laneCount += 1
  queue.lanes.set(job.endpointId, lane)
  return lane
}

function addProject<Job>(queue: Queue<Job>, id: string): Project<Job> {
  const project = { id, ready: createRing<Lane<Job>>(), laneCount: 0, previous: null, next: null }
  queue.projects.set(id, project)
  return project
}

/** Forgets an endpoint with nothing waiting and nothing under way, so that memory stays bounded. */
function removeIfUnused<Job>(queue: Queue<Job>, lane: Lane<Job>): void {
  if (lane.place !== 'empty' || lane.takenCount > 0) return
  queue.lanes.delete(lane.endpointId)
  lane.project.laneCount -= 1
  if (lane.project.laneCount === 0) queue.projects.delete(lane.project.id)
}

function laneLength(lane: Lane<unknown> | undefined): number {
  return lane === undefined ? 0 : fifoLength(lane.fresh) + fifoLength(lane.retries)
}

/** Delivery.md: a quarter of the slots is for first attempts. */
const RETRY_SHARE_MAX = 3 / 4

/** Delivery.md: an endpoint's share while others wait. */
const LANE_SHARE_MAX = 1 / 10

/** After so many first attempts in a row, a retry that waits at the same endpoint goes. */
const FRESH_PER_RETRY = 3
