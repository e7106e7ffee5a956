import { AppError } from '../core/errors.ts'

/** Bounds how many bytes of request bodies are in memory at once, in all and for each project. */
export interface BodyRoom {
  /**
   * Takes room for a body before any of it is read; the answer gives it back.
   *
   * @param owner The project; empty for callers that belong to none.
   * @throws AppError `overloaded` where there is not enough room.
   */
  take(owner: string, bytes: number): () => void
}

/**
 * Room is taken for what a body may come to, not for what has come: a body that trickles in takes
 * its room from the start, so the sum holds whatever the senders do.
 */
export function createBodyRoom(bounds: { bytesMax: number; bytesPerOwnerMax: number }): BodyRoom {
  const takenBy = new Map<string, number>()
  let takenBytes = 0

  return {
    take(owner, bytes) {
      const ownBytes = takenBy.get(owner) ?? 0
      const isFull = takenBytes + bytes > bounds.bytesMax
      if (isFull || ownBytes + bytes > bounds.bytesPerOwnerMax) {
        const whose = isFull ? 'The server' : 'This project'
        throw new AppError('overloaded', {
          detail: `${whose} has as many bytes of request bodies under way as there is room for.`,
        })
      }
      takenBytes += bytes
      takenBy.set(owner, ownBytes + bytes)
      return () => {
        takenBytes -= bytes
        const leftBytes = (takenBy.get(owner) ?? 0) - bytes
        if (leftBytes > 0) takenBy.set(owner, leftBytes)
        else takenBy.delete(owner)
      }
    },
  }
}
