import { createFifo, type Fifo, fifoLength } from './fifo.ts'
import { createRing, type Ring, type RingLinks } from './ring.ts'
import type { HeapLinks } from './time-heap.ts'

/** What the queue looks at in a job; it must not change while the queue knows the job. */
export interface FairJob {
  projectId: string
  endpointId: string
  isRetry: boolean
}

export interface Round<Job> {
  isPrompt: boolean
  projects: Map<string, Project<Job>>
  /** The projects that have a ready lane, in the order of their turns. */
  turns: Ring<Project<Job>>
  /** Lanes with nothing but retries, set aside while retries have all the slots they may have. */
  held: Ring<Lane<Job>>
}

/** A project in one round. */
export interface Project<Job> extends RingLinks<Project<Job>> {
  id: string
  round: Round<Job>
  ready: Ring<Lane<Job>>
  laneCount: number
}

/** One endpoint's jobs. */
export interface Lane<Job> extends RingLinks<Lane<Job>>, HeapLinks {
  endpointId: string
  project: Project<Job>
  fresh: Fifo<Job>
  retries: Fifo<Job>
  freshInARow: number
  takenCount: number
  takenByRetriesCount: number
  /** `empty`: no job waits; else the ring, or heap, that it is in. */
  place: 'empty' | 'ready' | 'full' | 'held' | 'shut'
}

export function createLane<Job extends FairJob>(job: FairJob, round: Round<Job>): Lane<Job> {
  return {
    endpointId: job.endpointId,
    project: joinProject(round, job.projectId),
    fresh: createFifo(),
    retries: createFifo(),
    freshInARow: 0,
    takenCount: 0,
    takenByRetriesCount: 0,
    place: 'empty',
    wakeAt: 0,
    heapIndex: 0,
    previous: null,
    next: null,
  }
}

export function createRound<Job>(isPrompt: boolean): Round<Job> {
  return { isPrompt, projects: new Map(), turns: createRing(), held: createRing() }
}

/** One lane more for the project in this round. */
export function joinProject<Job>(round: Round<Job>, id: string): Project<Job> {
  let project = round.projects.get(id)
  if (project === undefined) {
    const ready = createRing<Lane<Job>>()
    project = { id, round, ready, laneCount: 0, previous: null, next: null }
    round.projects.set(id, project)
  }
  project.laneCount += 1
  return project
}

export function leaveProject<Job>({ project }: Lane<Job>): void {
  project.laneCount -= 1
  if (project.laneCount === 0) project.round.projects.delete(project.id)
}

export function laneLength(lane: Lane<unknown> | undefined): number {
  return lane === undefined ? 0 : fifoLength(lane.fresh) + fifoLength(lane.retries)
}
