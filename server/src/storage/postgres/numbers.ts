import type { Connection } from './connection.ts'

/** How far each of the sequences steps, so how many numbers belong to whoever took a step. */
const blockSize = 1000

/** Numbers that no other node has, known before a row with them is written. */
export interface Numbers {
  /** Returns a source of at least `count` numbers, each larger than the one before. */
  take(connection: Connection, count: number): Promise<() => number>
}

/** Takes whole blocks from the sequence. What a node has not used when it ends stays unused. */
export function createNumbers(sequence: 'event_seqs' | 'delivery_seqs' | 'lease_tokens'): Numbers {
  let next = 0
  let end = 0

  return {
    async take(connection, count) {
      if (end - next >= count) {
        const first = next
        next += count
        return sourceOf([first])
      }
      const blockCount = Math.ceil(count / blockSize)
      const rows = await connection.all<{ first: number }>(
        `select nextval('${sequence}') as first from generate_series(1, ?::integer)`,
        blockCount,
      )
      const firsts = rows.map(({ first }) => first)
      // What is left of the last block is for whoever comes next.
      const usedOfLast = count - (blockCount - 1) * blockSize
      const last = firsts.at(-1) ?? 0
      next = last + usedOfLast
      end = last + blockSize
      return sourceOf(firsts)
    },
  }
}

function sourceOf(firsts: readonly number[]): () => number {
  let block = 0
  let used = 0
  return () => {
    if (used === blockSize) {
      block += 1
      used = 0
    }
    return (firsts[block] ?? 0) + used++
  }
}
