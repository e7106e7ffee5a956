import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readRecordedRatio } from './recorded-ratio.ts'

test('the newest whole or quick run is what was recorded', async () => {
  const section = (mode: string, ratio: string) =>
    `## 2026-11-21 04:29 UTC, commit b575be0, ${mode}\n\n| **median** |  | 0.191 | **${ratio}** |  |\n\n`
  const whole = section('full', '0.210') + section('quick', '0.192')
  assert.equal(await recordedIn(whole + section('smoke', '0.300')), 0.192)
  assert.equal(await recordedIn(section('smoke', '0.300')), null)
})

test('the results of this repository hold one', async () => {
  const ratio = await readRecordedRatio()
  assert.ok(ratio !== null && ratio > 0 && ratio < 1, String(ratio))
})

async function recordedIn(text: string): Promise<number | null> {
  const directory = await mkdtemp(join(tmpdir(), 'countersign-bench-'))
  try {
    const file = join(directory, 'results.md')
    await writeFile(file, `# Results\n\n${text}`)
    return await readRecordedRatio(file)
  } finally {
    await rm(directory, { recursive: true })
  }
}
