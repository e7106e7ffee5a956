import { hash } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import { AppError, type FieldError } from './core/errors.ts'
import type { EventSchemas } from './core/event-schemas.ts'
import { limits } from './core/limits.ts'
import type { SchemaAnswer, SchemaQuestion } from './event-schema-messages.ts'

export interface EventSchemaChecker extends EventSchemas {
  stop(): Promise<void>
}

/** Schemas that the thread keeps compiled; beyond that it begins anew. */
const schemasKnownMax = 1_000
/** Schemas that took too long are not tried again for a while; more than these are forgotten. */
const costlySchemasMax = 1_000
const costlyForMs = 60_000

const heapMbMax = 128

/**
 * Asks a thread, one question at a time. A question that takes longer than it may ends the thread;
 * the next one starts another. The first question starts the first one, so that a server whose
 * projects have no schemas has no such thread.
 */
export function createEventSchemaChecker(options: {
  monotonic: () => number
  checkMs?: number
}): EventSchemaChecker {
  const { monotonic, checkMs = limits.eventSchemaCheckMs } = options
  const costlyUntil = new Map<string, number>()
  const numbers = new Map<string, number>()
  let thread: SchemaThread | null = null
  let tail: Promise<unknown> = Promise.resolve()

  const end = async () => {
    const ended = thread
    thread = null
    numbers.clear()
    await ended?.terminate()
  }

  const noteCostly = (digest: string) => {
    const [oldest] = costlyUntil.keys()
    if (costlyUntil.size >= costlySchemasMax && oldest !== undefined) costlyUntil.delete(oldest)
    costlyUntil.set(digest, monotonic() + costlyForMs)
  }

  /** Null: it took too long. */
  const put = async (text: string, data: string | undefined): Promise<SchemaAnswer | null> => {
    const digest = hash('sha256', text)
    if ((costlyUntil.get(digest) ?? 0) > monotonic()) return null
    if (numbers.size >= schemasKnownMax) await end()
    thread ??= await startThread()
    const number = numbers.get(digest)
    const schema = number === undefined ? { number: numbers.size, text } : { number }
    numbers.set(digest, schema.number)
    const answer = await thread.ask({ schema, ...(data === undefined ? {} : { data }) }, checkMs)
    if (answer !== null) return answer
    noteCostly(digest)
    await end()
    return null
  }

  const ask = (text: string, data?: string) => {
    const answer = tail.then(() => put(text, data))
    tail = answer.catch(() => undefined)
    return answer
  }

  return {
    async problemOf(schema) {
      const answer = await ask(schema)
      if (answer === null) return `Takes longer than ${checkMs} ms to read; make it simpler.`
      return answer.kind === 'unusable' ? answer.problem : null
    },

    async check(schema, data) {
      const answer = await ask(schema, data)
      if (answer === null) return [tooCostly(checkMs)]
      if (answer.kind === 'unusable') {
        return [{ param: 'data', detail: answer.problem, code: 'schema_unusable' }]
      }
      return answer.kind === 'checked' ? answer.errors : []
    },

    async stop() {
      await tail
      await end()
    },
  }
}

function tooCostly(checkMs: number): FieldError {
  return {
    param: 'data',
    detail: `Could not be held against the schema of its type within ${checkMs} ms.`,
    code: 'schema_too_costly',
  }
}

interface SchemaThread {
  /** Null where no answer came in time, or the thread died over the question. */
  ask(question: SchemaQuestion, withinMs: number): Promise<SchemaAnswer | null>
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
      const timer = setTimeout(timeout.resolve, withinMs, null)
      try {
        return await Promise.race([answer, timeout.promise])
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
