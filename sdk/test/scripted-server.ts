import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What the server does with one request; `reset` and `hang` leave it without an answer. */
export type Answer =
  | { status: number; headers?: Record<string, string>; body?: unknown; text?: string }
  | 'reset'
  | 'reset in the body'
  | 'hang'

export interface ReceivedRequest {
  method: string
  /** Path and query, as sent. */
  url: string
  headers: IncomingHttpHeaders
  text: string
}

export interface ScriptedServer extends AsyncDisposable {
  url: string
  requests: ReceivedRequest[]
  /** Resolves as soon as that many requests have come. */
  received(count: number): Promise<void>
}

/** Starts a server that gives the answers in order; a request beyond them gets a 501. */
export async function startScriptedServer(answers: readonly Answer[]): Promise<ScriptedServer> {
  const requests: ReceivedRequest[] = []
  const waiting: { count: number; resolve: () => void }[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    requests.push({
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.headers,
      text: Buffer.concat(chunks).toString(),
    })
    for (const { count, resolve } of waiting) if (requests.length >= count) resolve()
    answer(response, answers[requests.length - 1] ?? { status: 501 })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    received: (count) =>
      new Promise((resolve) => {
        if (requests.length >= count) resolve()
        else waiting.push({ count, resolve })
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** An error as the server answers it: RFC 9457 with a code. */
export function problem(
  status: number,
  code: string,
  rest: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): Answer {
  return {
    status,
    headers: { 'content-type': 'application/problem+json', 'x-request-id': 'req_1', ...headers },
    body: { type: `/docs/errors#${code}`, title: `Title of ${code}`, status, code, ...rest },
  }
}

function answer(response: ServerResponse, scripted: Answer): void {
  if (scripted === 'hang') return
  if (scripted === 'reset') {
    response.destroy()
    return
  }
  if (scripted === 'reset in the body') {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
    response.write('{"id": "', () => response.destroy())
    return
  }
  const { status, headers = { 'content-type': 'application/json' } } = scripted
  response.writeHead(status, headers)
  response.end(scripted.text ?? (scripted.body === undefined ? '' : JSON.stringify(scripted.body)))
}
