import { startTcpProxy } from './tcp-proxy.ts'

/** A way to a PostgreSQL on loopback that knows what was asked on it. */
export interface CountedLine {
  url: string
  /** The statements that were run since the last call, `begin` and `commit` included. */
  take(): string[]
  close(): Promise<void>
}

export async function openCountedLine(databaseUrl: string): Promise<CountedLine> {
  let statements: string[] = []
  const target = new URL(databaseUrl)
  const proxy = await startTcpProxy(Number(target.port), () =>
    readMessages((statement) => statements.push(statement)),
  )
  target.port = String(proxy.port)
  return {
    url: target.href,
    take() {
      const taken = statements
      statements = []
      return taken
    },
    close: proxy.close,
  }
}

/**
 * Reads what a client without TLS sends: a first message without a type, then one byte of type and
 * four of length each. `Q` runs a text, `E` runs what was bound last (`B`), which was parsed once (`P`).
 */
function readMessages(onStatement: (text: string) => void): (chunk: Buffer) => void {
  const texts = new Map<string, string>()
  let waiting = Buffer.alloc(0)
  let typeBytes = 0
  let bound = ''
  const readMessage = (type: string, body: Buffer) => {
    const [first = '', second = ''] = body.toString('latin1').split('\0', 2)
    if (type === 'P') texts.set(first, second)
    else if (type === 'B') bound = texts.get(second) ?? second
    else if (type === 'E') onStatement(bound)
    else if (type === 'Q') onStatement(first)
  }
  return (chunk) => {
    waiting = Buffer.concat([waiting, chunk])
    while (waiting.length >= typeBytes + 4) {
      const end = typeBytes + waiting.readInt32BE(typeBytes)
      if (waiting.length < end) return
      readMessage(waiting.toString('latin1', 0, typeBytes), waiting.subarray(typeBytes + 4, end))
      waiting = waiting.subarray(end)
      typeBytes = 1
    }
  }
}
