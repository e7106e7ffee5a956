import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readRecordedRatio } from './recorded-ratio.ts'

test('the newest whole or quick run on the same processor is what was recorded', async () => {
  const section = (mode: string, ratio: string, cpuModel = 'A') =>
    [
      `## 2026-11-21 04:29 UTC, commit b575be0, ${mode}\n`,
      `- Machine: ${cpuModel}, 2 cores, 24 GB, Linux\n`,
      `| **median** |  | 0.191 | **${ratio}** |  |\n\n`,
    ].join('\n')
  const whole = section('full', '0.210') + section('quick', '0.192')
  assert.equal(await recordedIn(whole + section('smoke', '0.300')), 0.192)
  assert.equal(await recordedIn(whole + section('quick', '0.305', 'B')), 0.192)
  assert.equal(await recordedIn(section('smoke', '0.300')), null)
})

test('the results of this repository hold one for each processor that was measured', async () => {
  for (const cpuModel of ['AMD EPYC', 'Intel(R) Xeon(R) Processor']) {
    const ratio = await readRecordedRatio(cpuModel)
    assert.ok(ratio !== null && ratio > 0 && ratio < 1, `${cpuModel}: ${ratio}`)
  }
})

async function recordedIn(text: string): Promise<number | null> {
  const directory = await mkdtemp(join(tmpdir(), 'countersign-bench-'))
  try {
    const file = join(directory, 'results.md')
    await writeFile(file, `# Results\n\n${text}`)
    return await readRecordedRatio('A', file)
  } finally {
    await rm(directory, { recursive: true })
  }
}
