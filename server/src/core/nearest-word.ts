import { editDistance } from './edit-distance.ts'

/**
 * The known word that was probably meant, or null where none is near enough to be probable. The
 * first `givenLength` letters stand in every word and say nothing.
 */
export function nearestWord(
  word: string,
  known: readonly string[],
  givenLength: number,
): string | null {
  const [best] = known
    .map((candidate) => ({ candidate, edits: editDistance(word, candidate) }))
    .sort((a, b) => a.edits - b.edits)
  const editsMax = Math.floor((word.length - givenLength) / 2)
  return best !== undefined && best.edits <= editsMax ? best.candidate : null
}
