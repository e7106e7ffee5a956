import { hash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { AppError } from './core/errors.ts'
import type { SchemaAnswer, SchemaQuestion } from './event-schema-messages.ts'
import { createTimeShares } from './time-shares.ts'

/** One thread that answers questions, and the projects that wait for it. */
export interface SchemaLane {
  ask(question: LaneQuestion): Promise<LaneAnswer>
  /** Ends what runs; everything that waits is overdue. */
  stop(): Promise<void>
}

export interface LaneQuestion {
  /** Whose time it takes. */
  projectId: string
  /** The schema. */
  text: string
  /** JSON text to hold against it; undefined: whether the schema can be used. */
  data: string | undefined
  /** Monotonic; whose turn has not come by then is not asked any more. */
  deadlineAt: number
  /** Asked at its turn: true where it is no longer a question for this lane. */
  isMoved?: () => boolean
}

export type LaneAnswer =
  | Exclude<SchemaAnswer, { kind: 'ready' }>
  /** The thread was ended over it: it took too long, or more memory than there is. */
  | { kind: 'too_long' }
  | { kind: 'overdue' }
  | { kind: 'moved' }

/** Schemas that a thread keeps compiled; beyond that it begins anew. */
const schemasKnownMax = 1_000
const heapMbMax = 128

/**
 * Asks its thread one question at a time; projects share its time evenly. A question that takes
 * longer than it may ends the thread; the next one starts another. The first question starts the
 * first one, so that a server whose projects have no schemas has no such thread.
 */
export function createSchemaLane(options: {
  monotonic: () => number
  /** Longest time for one question. */
  checkMs: number
  /** Begins a thread anew for each project: what one has made it keep can harm no other. */
  isThreadPerProject: boolean
}): SchemaLane {
  const { monotonic, checkMs, isThreadPerProject } = options
  const shares = createTimeShares<LaneQuestion & PromiseWithResolvers<LaneAnswer>>()
  const numbers = new Map<string, number>()
  let thread: SchemaThread | null = null
  let servedProjectId: string | null = null
  let running: Promise<void> | null = null
  let isStopped = false

  const end = async () => {
    const ended = thread
    thread = null
    numbers.clear()
    await ended?.terminate()
  }

  const put = async ({ projectId, text, data }: LaneQuestion): Promise<LaneAnswer> => {
    const isOther = isThreadPerProject && projectId !== servedProjectId
    if (isOther || numbers.size >= schemasKnownMax) await end()
    servedProjectId = projectId
    const asked = thread ?? (await startThread())
    thread = asked
    const digest = hash('sha256', text)
    const number = numbers.get(digest)
    const schema = number === undefined ? { number: numbers.size, text } : { number }
    numbers.set(digest, schema.number)
    const began = monotonic()
    const answer = await asked.ask({ schema, ...(data === undefined ? {} : { data }) }, checkMs)
    shares.use(projectId, monotonic() - began)
    if (answer !== null) return answer
    await end()
    return { kind: 'too_long' }
  }

  const answerTo = (question: LaneQuestion): LaneAnswer | Promise<LaneAnswer> => {
    if (isStopped || monotonic() > question.deadlineAt) return { kind: 'overdue' }
    return question.isMoved?.() ? { kind: 'moved' } : put(question)
  }

  const run = async () => {
    for (let turn = shares.next(); turn !== null; turn = shares.next()) {
      const { resolve, reject } = turn.work
      await Promise.try(answerTo, turn.work).then(resolve, reject)
    }
    running = null
  }

  return {
    ask(question) {
      const answer = Promise.withResolvers<LaneAnswer>()
      shares.add(question.projectId, { ...question, ...answer })
      running ??= run()
      return answer.promise
    },

    async stop() {
      isStopped = true
      await end()
      await running
      await end()
    },
  }
}

interface SchemaThread {
  /** Null where no answer came in time, or the thread died over the question. */
  ask(question: SchemaQuestion, withinMs: number): Promise<LaneAnswer | null>
  terminate(): Promise<unknown>
}

/** @throws AppError `overloaded` where the thread cannot begin. */
async function startThread(): Promise<SchemaThread> {
  const worker = new Worker(new URL('./event-schema-thread.ts', import.meta.url), {
    name: 'event-schemas',
    resourceLimits: { maxOldGenerationSizeMb: heapMbMax },
  })
  const next = () =>
    new Promise<SchemaAnswer | null>((resolve) => {
      worker.once('message', resolve)
      // Out of memory, or gone: over this question.
      worker.once('error', () => resolve(null))
      worker.once('exit', () => resolve(null))
    })
  let cause: unknown
  worker.once('error', (error) => {
    cause = error
  })
  // Out of descriptors or memory: that says nothing about the schema, nor about the data.
  if ((await next()) === null) {
    throw new AppError('overloaded', { detail: 'Schemas cannot be checked just now.', cause })
  }
  worker.unref()
  return {
    async ask(question, withinMs) {
      const answer = next()
      worker.postMessage(question)
      const timeout = Promise.withResolvers<null>()
      const timer = setTimeout(async () => {
        // Where this thread was busy, the answer is here already and only waits to be taken.
        await nextTurn()
        timeout.resolve(null)
      }, withinMs)
      try {
        const first = await Promise.race([answer, timeout.promise])
        return first?.kind === 'ready' ? null : first
      } finally {
        clearTimeout(timer)
        worker.removeAllListeners('message')
        worker.removeAllListeners('error')
        worker.removeAllListeners('exit')
        // A late death must not end the process.
        worker.on('error', () => undefined)
      }
    },
    terminate: () => worker.terminate(),
  }
}
