import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ed25519Format } from './webhook-vectors/ed25519-format.ts'
import { hexFormats } from './webhook-vectors/hex-formats.ts'
import { standardFormats } from './webhook-vectors/standard-formats.ts'
import type { VectorFile } from './webhook-vectors/vector.ts'
import { toleranceSeconds, vectorsOf } from './webhook-vectors/vector-cases.ts'

/**
 * Writes `sdk/vectors/`: deliveries in every format with the verdict on each, for verifiers in any
 * language. Always the same bytes. `--check` writes nothing, names what drifted, and exits with 1 if
 * anything did.
 */
const folder = join(import.meta.dirname, '../sdk/vectors')

/** The text of every file, by its name. */
export function webhookVectorFiles(): Map<string, string> {
  return new Map(
    [...standardFormats, ed25519Format, ...hexFormats].map((format) => {
      const file: VectorFile = {
        format: format.name,
        description: format.description,
        tolerance_seconds: format.isTimed ? toleranceSeconds : null,
        vectors: vectorsOf(format),
      }
      return [`${format.name}.json`, `${print(file)}\n`]
    }),
  )
}

/** Two spaces, and short lists of secrets on one line, as the formatter of the repository wants. */
function print(file: VectorFile): string {
  const lineLengthMax = 100
  return JSON.stringify(file, null, 2)
    .replace(
      /^( *"(?:secrets|signed_with)": )\[\n([^\]]*)\n *\]/gm,
      (whole, head: string, items: string) => {
        const line = `${head}[${items.trim().replace(/\n */g, ' ')}]`
        // A comma may follow, and counts.
        return line.length < lineLengthMax ? line : whole
      },
    )
    .replace(fragile, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** What editors and file systems may change without being asked: odd line ends, loose accents. */
const fragile = /[\u0300-\u036f\u2028\u2029]/g

if (import.meta.main) {
  const isCheck = process.argv.includes('--check')
  const drifted = [...webhookVectorFiles()].filter(([name, text]) => readVectors(name) !== text)
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of drifted) {
    console.log(isCheck ? `sdk/vectors/${name} drifted: run scripts/webhook-vectors.ts` : name)
    if (!isCheck) writeFileSync(join(folder, name), text)
  }
  process.exitCode = isCheck && drifted.length > 0 ? 1 : 0
}

function readVectors(name: string): string | null {
  try {
    return readFileSync(join(folder, name), 'utf8')
  } catch {
    return null
  }
}
