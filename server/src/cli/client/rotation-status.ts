import type { Rotation } from '@countersign/sdk'
import type { Command } from 'commander'
import type { CommandContext } from '../command-context.ts'
import { count, option } from '../options.ts'
import { waitUntilStopped } from '../wait-until-stopped.ts'
import { type ClientSession, clientCommand } from './client-command.ts'
import type { Column } from './output.ts'

interface StatusRow {
  endpoint: string
  rotation: Rotation
}

const columns: readonly Column<StatusRow>[] = [
  { title: 'endpoint', of: ({ endpoint }) => endpoint },
  { title: 'status', of: ({ rotation }) => rotation.status },
  { title: 'by', of: ({ rotation }) => rotation.completedBy },
  { title: 'proof', of: ({ rotation }) => (rotation.evidence?.verified ? 'verified' : null) },
  { title: 'attention', of: ({ rotation }) => rotation.attention },
  { title: 'window ends', of: ({ rotation }) => rotation.windowEndsAt },
  { title: 'rotation', of: ({ rotation }) => rotation.id },
]

/** `countersign rotations status`: open rotations, or the newest of one endpoint. */
export function rotationStatusCommand(context: CommandContext): Command {
  return clientCommand<{ watch?: boolean; interval: number }>(context, {
    name: 'status',
    description: 'show the open rotations of the project, or the newest of one endpoint',
    args: { '[endpoint]': 'id or uid; every endpoint where absent' },
    options: [
      option('--watch', 'show every change until none is open; Ctrl-C stops it'),
      option('--interval <seconds>', 'how often to look', count(1, 3600)).default(2),
    ],
    examples: [
      ['countersign rotations status'],
      ['countersign rotations status billing --json'],
      ['countersign rotations status brief --watch --interval 1'],
    ],
    async run(session, [endpoint], { watch, interval }) {
      if (!watch) return session.output.list(await rowsOf(session, endpoint), columns)
      await watchRows(session, endpoint, interval * 1000)
    },
  })
}

async function watchRows(
  session: ClientSession,
  endpoint: string | undefined,
  intervalMs: number,
): Promise<void> {
  const { output, context } = session
  using stopping = waitUntilStopped(context)
  const shown = new Map<string, string>()
  const watched = new Map<string, string>()
  while (!stopping.signal.aborted) {
    const rows = await rowsOf(session, endpoint)
    // One that was open and is listed no longer has ended since: what it ended by is read once.
    for (const { rotation } of rows) watched.set(rotation.id, rotation.endpointId)
    const listed = new Set(rows.map(({ rotation }) => rotation.id))
    for (const [id, endpointId] of watched) {
      if (!listed.has(id)) rows.push(await rowOf(session, endpointId, id))
    }
    const changed = rows.filter((row) => {
      const state = JSON.stringify(columns.map(({ of }) => of(row)))
      const isNew = shown.get(row.rotation.id) !== state
      shown.set(row.rotation.id, state)
      return isNew
    })
    if (changed.length > 0) output.list(changed, columns)
    for (const { rotation } of rows) if (!isOpen(rotation)) watched.delete(rotation.id)
    if (!rows.some(({ rotation }) => isOpen(rotation))) return
    await stopping.pause(intervalMs)
  }
}

async function rowsOf(
  { client, project }: ClientSession,
  endpoint: string | undefined,
): Promise<StatusRow[]> {
  if (endpoint !== undefined) {
    const { data } = await client.rotations.list(project, endpoint, { limit: 1 }).page()
    return data.map((rotation) => ({ endpoint, rotation }))
  }
  const rows: StatusRow[] = []
  for await (const { id, uid, rotation } of client.endpoints.list(project, { limit: 100 })) {
    if (rotation !== null) rows.push({ endpoint: uid ?? id, rotation })
  }
  return rows
}

async function rowOf(
  { client, project }: ClientSession,
  endpointId: string,
  rotationId: string,
): Promise<StatusRow> {
  return {
    endpoint: endpointId,
    rotation: await client.rotations.get(project, endpointId, rotationId),
  }
}

function isOpen({ status }: Rotation): boolean {
  return status !== 'completed' && status !== 'cancelled'
}
