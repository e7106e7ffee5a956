import { InvalidResponse, parseResponseHead, type ResponseHead } from './response-head.ts'
import type { TransportLimits } from './transport-limits.ts'

/** Who is told what comes of a response. */
export interface ResponseSink {
  /** Of the final response; interim ones (1xx) are passed over. */
  onHead(head: ResponseHead): void
  /** A part of the body, which is only there during the call. */
  onBody(part: Uint8Array): void
}

/** The head of a response, a line between its chunks, or its trailers are longer than is read. */
export class ResponseHeadTooLarge extends Error {}

type State = 'head' | 'length' | 'until_close' | 'size' | 'chunk' | 'chunk_end' | 'trailers' | 'end'

/**
 * Reads one response after the other from the bytes of one connection, however they are cut.
 * Receivers repeat themselves, so a head that is the same as the one before is not read again.
 */
export class ResponseParser {
  readonly #limits: TransportLimits
  #sink: ResponseSink | null = null
  #state: State = 'end'
  #head: ResponseHead | null = null
  /** What has come of a head that is not there whole. */
  #begun: Buffer | null = null
  /** Between the two bytes of an empty line before the head. */
  #isInEmptyLine = false
  #line = ''
  /** Of the trailers, or of the line. */
  #lineBytes = 0
  /** Of the body, or of the chunk. */
  #left = 0
  #lastText = ''
  #lastHead: ResponseHead | null = null

  constructor(limits: TransportLimits) {
    this.#limits = limits
  }

  /** From now on bytes belong to the response to a new request. */
  begin(sink: ResponseSink): void {
    this.#sink = sink
    this.#state = 'head'
    this.#head = null
    this.#begun = null
    this.#isInEmptyLine = false
  }

  /** How long the connection may be idle after the response, by its head; 0: not at all. */
  get reusableMs(): number {
    const head = this.#head
    if (this.#state !== 'end' || head === null || !head.isPersistent) return 0
    return head.keepAliveMs ?? Number.POSITIVE_INFINITY
  }

  /**
   * Takes what has arrived. Returns how many bytes are left over behind the end of the response, or
   * null while that has not come.
   *
   * @throws InvalidResponse | ResponseHeadTooLarge
   */
  read(bytes: Buffer): number | null {
    let at = 0
    while (at < bytes.length && this.#state !== 'end') at = this.#step(bytes, at)
    if (this.#state !== 'end') return null
    // The connection may be idle for long: the request, with its body, is not to live on with it.
    this.#sink = null
    return bytes.length - at
  }

  /** The receiver has closed. Returns whether that is the end of the response. */
  finish(): boolean {
    if (this.#state !== 'until_close') return false
    this.#state = 'end'
    return true
  }

  #step(bytes: Buffer, at: number): number {
    switch (this.#state) {
      case 'head':
        return this.#begun === null && (bytes[at] === 0x0d || this.#isInEmptyLine)
          ? this.#passEmptyLine(bytes, at)
          : this.#readHead(bytes, at)
      case 'length':
        return this.#readBody(bytes, at, 'end')
      case 'chunk':
        return this.#readBody(bytes, at, 'chunk_end')
      case 'chunk_end':
        // As a rule the line is there whole, and is not worth a text.
        if (this.#line !== '' || bytes[at] !== 0x0d || bytes[at + 1] !== 0x0a) break
        this.#state = 'size'
        return at + 2
      case 'until_close':
        this.#sink!.onBody(at === 0 ? bytes : bytes.subarray(at))
        return bytes.length
    }
    return this.#readLine(bytes, at)
  }

  /** Some receivers end a body with a line end that they do not count. */
  #passEmptyLine(bytes: Buffer, at: number): number {
    if (this.#isInEmptyLine && bytes[at] !== 0x0a) throw new InvalidResponse('no status line')
    this.#isInEmptyLine = !this.#isInEmptyLine
    return at + 1
  }

  #readHead(bytes: Buffer, at: number): number {
    const before = this.#begun?.length ?? 0
    const all = this.#begun === null ? bytes : Buffer.concat([this.#begun, bytes.subarray(at)])
    const from = this.#begun === null ? at : 0
    const end = all.indexOf('\r\n\r\n', Math.max(from, before - 3), 'latin1')
    const length = (end < 0 ? all.length : end) - from
    if (length > this.#limits.responseHeadBytesMax) {
      throw new ResponseHeadTooLarge('The headers of the response are too large.')
    }
    if (end < 0) {
      // What will never be a head is not waited for.
      if (!beginsLikeHead(all, from)) throw new InvalidResponse('no status line')
      if (hasBareFeed(all, from + before)) throw new InvalidResponse('a line feed by itself')
      // A copy, for the bytes are only there during the call.
      this.#begun = this.#begun === null ? Buffer.from(bytes.subarray(at)) : all
      return bytes.length
    }
    this.#begun = null
    this.#takeHead(all.toString('latin1', from, end))
    return at + (end + 4 - from) - before
  }

  #takeHead(text: string): void {
    const head = this.#parsed(text)
    if (head.statusCode === 101) throw new InvalidResponse('101 was not asked for')
    if (head.statusCode < 200) {
      if (!head.isPersistent) throw new InvalidResponse('an interim response that is the last')
      return
    }
    this.#head = head
    this.#sink!.onHead(head)
    this.#line = ''
    this.#lineBytes = 0
    switch (head.framing.kind) {
      case 'length':
        this.#left = head.framing.length
        this.#state = this.#left === 0 ? 'end' : 'length'
        break
      case 'chunked':
        this.#state = 'size'
        break
      case 'until_close':
        this.#state = 'until_close'
    }
  }

  #parsed(text: string): ResponseHead {
    if (this.#lastHead !== null && text === this.#lastText) return this.#lastHead
    const head = parseResponseHead(text, this.#limits)
    if (text.length <= headKeptLengthMax) {
      this.#lastText = text
      this.#lastHead = head
    }
    return head
  }

  #readBody(bytes: Buffer, at: number, next: State): number {
    const end = Math.min(bytes.length, at + this.#left)
    this.#left -= end - at
    if (this.#left === 0) this.#state = next
    this.#sink!.onBody(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end))
    return end
  }

  /** The lines between chunks and behind the last. */
  #readLine(bytes: Buffer, at: number): number {
    const feed = bytes.indexOf(0x0a, at)
    const end = feed < 0 ? bytes.length : feed + 1
    this.#lineBytes += end - at
    if (this.#lineBytes > this.#limits.responseHeadBytesMax) {
      throw new ResponseHeadTooLarge('A line between the chunks of the response is too long.')
    }
    this.#line += bytes.toString('latin1', at, end)
    if (feed < 0) return end
    if (!this.#line.endsWith('\r\n')) throw new InvalidResponse('a line feed by itself')
    const line = this.#line.slice(0, -2)
    this.#line = ''
    this.#takeLine(line)
    return end
  }

  #takeLine(line: string): void {
    switch (this.#state) {
      case 'size': {
        const size = chunkSize.exec(line)?.[1]
        if (size === undefined) throw new InvalidResponse('a chunk without a size')
        this.#left = Number.parseInt(size, 16)
        this.#state = this.#left === 0 ? 'trailers' : 'chunk'
        this.#lineBytes = 0
        break
      }
      case 'chunk_end':
        if (line !== '') throw new InvalidResponse('a chunk longer than its size')
        this.#state = 'size'
        this.#lineBytes = 0
        break
      default:
        // Trailers say nothing that is recorded; all of them together are bounded like a head.
        if (line === '') this.#state = 'end'
        else if (!trailer.test(line)) throw new InvalidResponse('a trailer without a name')
    }
  }
}

/** Of the last head, which lives as long as the connection. */
const headKeptLengthMax = 1_024

const headBeginning = Buffer.from('HTTP/1.')

function beginsLikeHead(bytes: Buffer, from: number): boolean {
  const length = Math.min(headBeginning.length, bytes.length - from)
  return bytes.compare(headBeginning, 0, length, from, from + length) === 0
}

function hasBareFeed(bytes: Buffer, from: number): boolean {
  for (let at = bytes.indexOf(0x0a, from); at >= 0; at = bytes.indexOf(0x0a, at + 1)) {
    if (bytes[at - 1] !== 0x0d) return true
  }
  return false
}

/** With extensions (RFC 9112, 7.1.1), which say nothing that anyone here understands. */
const chunkSize =
  /^0*([\da-fA-F]{1,13})[\t ]*(?:;[!#$%&'*+\-.^_`|~\w]+(?:=(?:[!#$%&'*+\-.^_`|~\w]+|"[\t !#-[\]-~\x80-\xff]*"))?)*$/
const trailer = /^[!#$%&'*+\-.^_`|~\da-zA-Z]+:[\t\x20-\x7e\x80-\xff]*$/
