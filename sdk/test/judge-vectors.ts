import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { VectorFile } from '../../scripts/webhook-vectors/vector.ts'
import type { verifyWebhook } from '../src/verify-webhook.ts'
import { judgeVectorFiles } from './judge-vector-files.ts'

/** The vectors of every format. */
export function readVectorFiles(): VectorFile[] {
  const folder = join(import.meta.dirname, '../vectors')
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'))
  return files.map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')))
}

/** Holds a verifier against the vectors of every format; names those on which it is wrong. */
export function judgeVectors(
  verify: typeof verifyWebhook,
): Promise<{ count: number; wrong: string[] }> {
  return judgeVectorFiles(verify, readVectorFiles())
}
