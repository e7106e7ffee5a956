import { hash } from 'node:crypto'
import { AppError, type FieldError } from './core/errors.ts'
import type { EventSchemas } from './core/event-schemas.ts'
import { limits } from './core/limits.ts'
import { createSchemaLane, type LaneAnswer, type LaneQuestion } from './event-schema-lane.ts'

export interface EventSchemaChecker extends EventSchemas {
  stop(): Promise<void>
}

/** What took too long is remembered for a while; more than these are forgotten. */
const rememberedMax = 1_000
const rememberedForMs = 60_000

/**
 * Two lanes. Every check begins in the quick one. One that takes long there is ended, and for a
 * while its project is asked in the slow one alone, where checks may take their time and only
 * projects like it wait. So a project costs the others one quick check a while, whatever it sends
 * (docs/decisions/0027-event-schemas.md).
 */
export function createEventSchemaChecker(options: {
  monotonic: () => number
  quickMs?: number
  checkMs?: number
  waitMs?: number
}): EventSchemaChecker {
  const { monotonic } = options
  const quickMs = options.quickMs ?? limits.eventSchemaQuickMs
  const checkMs = options.checkMs ?? limits.eventSchemaCheckMs
  const waitMs = options.waitMs ?? limits.eventSchemaWaitMs
  const quick = createSchemaLane({ monotonic, checkMs: quickMs, isThreadPerProject: false })
  const slow = createSchemaLane({ monotonic, checkMs, isThreadPerProject: true })
  const slowProjects = createMemory(monotonic)
  const costlySchemas = createMemory(monotonic)

  const askQuick = async (question: LaneQuestion): Promise<LaneAnswer> => {
    const isMoved = () => slowProjects.has(question.projectId)
    if (isMoved()) return { kind: 'moved' }
    const answer = await quick.ask({ ...question, isMoved })
    if (answer.kind === 'too_long') slowProjects.add(question.projectId)
    return answer
  }

  const askSlow = async (question: LaneQuestion): Promise<SettledAnswer> => {
    const digest = hash('sha256', question.text)
    const isMoved = () => costlySchemas.has(digest)
    const answer = await slow.ask({ ...question, isMoved })
    if (answer.kind === 'too_long') costlySchemas.add(digest)
    if (answer.kind === 'overdue') throw overdue(waitMs)
    return answer.kind === 'moved' ? { kind: 'too_long' } : answer
  }

  const questionOf = (projectId: string, text: string, data?: string): LaneQuestion => ({
    ...{ projectId, text, data },
    deadlineAt: monotonic() + waitMs,
  })

  return {
    async problemOf(projectId, schema) {
      // Compiling may well take long, and nobody minds: that alone makes no project a slow one.
      const answer = await askSlow(questionOf(projectId, schema))
      if (answer.kind === 'too_long')
        return `Takes longer than ${checkMs} ms to read; make it simpler.`
      return answer.kind === 'unusable' ? answer.problem : null
    },

    async check(projectId, schema, data) {
      const question = questionOf(projectId, schema, data)
      const first = await askQuick(question)
      if (first.kind === 'overdue') throw overdue(waitMs)
      const isSettled = first.kind === 'checked' || first.kind === 'unusable'
      return errorsOf(isSettled ? first : await askSlow(question), checkMs)
    },

    async stop() {
      await Promise.all([quick.stop(), slow.stop()])
    },
  }
}

type SettledAnswer = Exclude<LaneAnswer, { kind: 'overdue' | 'moved' }>

function errorsOf(answer: SettledAnswer, checkMs: number): FieldError[] {
  switch (answer.kind) {
    case 'checked':
      return answer.errors
    case 'unusable':
      return [{ param: 'data', detail: answer.problem, code: 'schema_unusable' }]
    case 'too_long': {
      const detail = `Could not be held against the schema of its type within ${checkMs} ms.`
      return [{ param: 'data', detail, code: 'schema_too_costly' }]
    }
  }
}

function overdue(waitMs: number): AppError {
  return new AppError('overloaded', {
    detail: `The turn of this check against a schema did not come within ${waitMs} ms; make the schemas of the project simpler, or send fewer events at once.`,
  })
}

/** What happened a while ago; the oldest is forgotten first. */
function createMemory(monotonic: () => number) {
  const until = new Map<string, number>()
  return {
    has: (name: string) => (until.get(name) ?? 0) > monotonic(),
    add(name: string) {
      until.delete(name)
      const [oldest] = until.keys()
      if (until.size >= rememberedMax && oldest !== undefined) until.delete(oldest)
      until.set(name, monotonic() + rememberedForMs)
    },
  }
}
