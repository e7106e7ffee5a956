import type { Wire, WireClient } from './wire.ts'

export interface OperationalEvent {
  type: string
  data: Record<string, unknown>
}

/** What the server has told of itself in a project, oldest first; at most 100. */
export async function readOperationalEvents(
  call: WireClient,
  project: string,
): Promise<OperationalEvent[]> {
  const path = `/projects/${project}/events`
  const { body } = await call<{ data: Wire.EventSummary[] }>('GET', `${path}?limit=100`)
  const own = body.data.filter(({ type }) => type.startsWith('endpoint.')).reverse()
  return Promise.all(
    own.map(async ({ id }) => {
      const event = (await call<Wire.Event>('GET', `${path}/${id}`)).body
      return { type: event.type, data: event.data ?? {} }
    }),
  )
}
