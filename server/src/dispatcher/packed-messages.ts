import type { Attempt, AttemptResponse } from '../core/delivery.ts'
import type {
  AttemptedVerdict,
  FromSender,
  SenderDelivery,
  SenderEvent,
  SenderResult,
  ToSender,
  Verdict,
} from './sender-messages.ts'

/*
 * The messages that every delivery takes, each as one flat list while it is between the threads. To
 * clone a list of texts and numbers takes a third of what it takes to clone the objects: for a
 * result 3 µs in place of 9 (docs/decisions/0049-speed.md). Everything else goes as it is.
 */

type Deliveries = Extract<ToSender, { kind: 'deliveries' }>
type Results = Extract<FromSender, { kind: 'results' }>
type Cell = string | number | boolean | null
type Packed = Cell[]

export type PackedToSender = Exclude<ToSender, Deliveries> | Packed
export type PackedFromSender = Exclude<FromSender, Results> | Packed

export function packToSender(message: ToSender): PackedToSender {
  if (message.kind !== 'deliveries') return message
  const cells: Packed = [message.events.length]
  for (const { id, projectId, type, timestamp, data, metadata } of message.events) {
    cells.push(id, projectId, type, timestamp, data, metadata)
  }
  for (const delivery of message.deliveries) {
    cells.push(
      delivery.id,
      delivery.projectId,
      delivery.endpointId,
      delivery.event,
      delivery.attemptNumber,
      delivery.isRetry,
      delivery.isImmediate,
      delivery.leaseToken,
      delivery.leaseUntilMonotonic,
    )
  }
  return cells
}

export function unpackToSender(message: PackedToSender): ToSender {
  if (!Array.isArray(message)) return message
  const reader = new Reader(message)
  const events: SenderEvent[] = []
  for (let left = reader.number(); left > 0; left--) {
    events.push({
      id: reader.text(),
      projectId: reader.text(),
      type: reader.text(),
      timestamp: reader.text(),
      data: reader.text(),
      metadata: reader.text(),
    })
  }
  const deliveries: SenderDelivery[] = []
  while (!reader.isAtEnd()) {
    deliveries.push({
      id: reader.text(),
      projectId: reader.text(),
      endpointId: reader.text(),
      event: reader.number(),
      attemptNumber: reader.number(),
      isRetry: reader.flag(),
      isImmediate: reader.flag(),
      leaseToken: reader.number(),
      leaseUntilMonotonic: reader.number(),
    })
  }
  return { kind: 'deliveries', events, deliveries }
}

export function packFromSender(message: FromSender): PackedFromSender {
  if (message.kind !== 'results') return message
  const cells: Packed = []
  pushTexts(cells, message.expiredSecretIds)
  for (const { deliveryId, projectId, endpointId, leaseToken, verdict } of message.results) {
    cells.push(deliveryId, projectId, endpointId, leaseToken)
    pushVerdict(cells, verdict)
  }
  return cells
}

export function unpackFromSender(message: PackedFromSender): FromSender {
  if (!Array.isArray(message)) return message
  const reader = new Reader(message)
  const expiredSecretIds = readTexts(reader)
  const results: SenderResult[] = []
  while (!reader.isAtEnd()) {
    results.push({
      deliveryId: reader.text(),
      projectId: reader.text(),
      endpointId: reader.text(),
      leaseToken: reader.number(),
      verdict: readVerdict(reader),
    })
  }
  return { kind: 'results', results, expiredSecretIds }
}

function pushVerdict(cells: Packed, verdict: Verdict): void {
  cells.push(verdict.kind)
  if (verdict.kind === 'released') cells.push(verdict.notBefore)
  if (verdict.kind !== 'attempted') return
  cells.push(
    verdict.succeeded,
    verdict.isGone,
    verdict.isRefusedForGood,
    verdict.isOurShortage,
    verdict.isStale,
    verdict.retryAfterMs,
  )
  pushAttempt(cells, verdict.attempt)
}

function readVerdict(reader: Reader): Verdict {
  const kind = reader.text() as Verdict['kind']
  if (kind === 'released') return { kind, notBefore: reader.numberOrNull() }
  if (kind !== 'attempted') return { kind }
  return {
    kind,
    succeeded: reader.flag(),
    isGone: reader.flag(),
    isRefusedForGood: reader.flag(),
    isOurShortage: reader.flag(),
    isStale: reader.flag(),
    retryAfterMs: reader.numberOrNull(),
    attempt: readAttempt(reader),
  }
}

function pushAttempt(cells: Packed, attempt: AttemptedVerdict['attempt']): void {
  const { request, response } = attempt
  cells.push(attempt.id, attempt.startedAt, attempt.durationMs, request.method, request.url)
  pushHeaders(cells, request.headers)
  pushTexts(cells, attempt.secretIds)
  cells.push(response?.statusCode ?? null)
  if (response !== null) {
    pushHeaders(cells, response.headers)
    cells.push(response.body, response.bodyTruncated)
  }
  cells.push(attempt.error, attempt.errorDetail)
}

function readAttempt(reader: Reader): AttemptedVerdict['attempt'] {
  return {
    id: reader.text(),
    startedAt: reader.number(),
    durationMs: reader.number(),
    request: { method: reader.text(), url: reader.text(), headers: readHeaders(reader) },
    secretIds: readTexts(reader),
    response: readResponse(reader),
    error: reader.textOrNull() as Attempt['error'],
    errorDetail: reader.textOrNull(),
  }
}

function readResponse(reader: Reader): AttemptResponse | null {
  const statusCode = reader.numberOrNull()
  if (statusCode === null) return null
  const headers = readHeaders(reader)
  return { statusCode, headers, body: reader.text(), bodyTruncated: reader.flag() }
}

function pushTexts(cells: Packed, texts: readonly string[]): void {
  cells.push(texts.length)
  for (const text of texts) cells.push(text)
}

function readTexts(reader: Reader): string[] {
  const texts: string[] = []
  for (let left = reader.number(); left > 0; left--) texts.push(reader.text())
  return texts
}

function pushHeaders(cells: Packed, headers: Readonly<Record<string, string>>): void {
  const place = cells.push(0) - 1
  let count = 0
  for (const name in headers) {
    cells.push(name, headers[name] ?? '')
    count++
  }
  cells[place] = count
}

function readHeaders(reader: Reader): Record<string, string> {
  const headers: Record<string, string> = {}
  for (let left = reader.number(); left > 0; left--) {
    const name = reader.text()
    // A plain assignment to this one name would set the prototype, and lose the header.
    if (name === '__proto__') define(headers, name, reader.text())
    else headers[name] = reader.text()
  }
  return headers
}

function define(headers: Record<string, string>, name: string, value: string): void {
  Object.defineProperty(headers, name, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  })
}

/** Takes the cells in the order in which they were pushed. Both sides stand in this file. */
class Reader {
  readonly #cells: readonly Cell[]
  #at = 0

  constructor(cells: readonly Cell[]) {
    this.#cells = cells
  }

  isAtEnd(): boolean {
    return this.#at === this.#cells.length
  }

  text(): string {
    return this.#cells[this.#at++] as string
  }

  textOrNull(): string | null {
    return this.#cells[this.#at++] as string | null
  }

  number(): number {
    return this.#cells[this.#at++] as number
  }

  numberOrNull(): number | null {
    return this.#cells[this.#at++] as number | null
  }

  flag(): boolean {
    return this.#cells[this.#at++] as boolean
  }
}
