import type { ActionContext } from './action-context.ts'

/** Leaves a remark on every open rotation that the wall clock jumped, and by how much. */
export async function noteClockJump(context: ActionContext, jumpMs: number): Promise<number> {
  const now = context.clock.now()
  const detail = `The clock moved ${jumpMs > 0 ? 'forward' : 'back'} by ${Math.abs(Math.round(jumpMs / 1000))} seconds.`
  const open = await context.storage.listOpenRotations(now)
  for (const { endpointId, id } of open) {
    await context.storage.transact(async (tx) => {
      const rotation = await tx.getRotation(endpointId, id)
      if (rotation === null) return
      const note = { at: now, what: 'clock_jumped', actor: null, detail }
      await tx.updateRotation({ ...rotation, notes: [...rotation.notes, note] })
    })
  }
  return open.length
}
