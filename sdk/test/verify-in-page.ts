import type { VectorFile } from '../../scripts/webhook-vectors/vector.ts'
import { verifyWebhook } from '../src/index.ts'
import { judgeVectorFiles } from './judge-vector-files.ts'

/* Runs the verifier in a page, on vectors that stand in it, and writes the verdict there. */
const { document } = globalThis as unknown as {
  document: { getElementById(id: string): { textContent: string } }
}
const vectors: VectorFile[] = JSON.parse(document.getElementById('vectors').textContent)
const verdict = await judgeVectorFiles(verifyWebhook, vectors)
document.getElementById('verdict').textContent = JSON.stringify(verdict)
