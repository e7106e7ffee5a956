import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

/** Long enough to build a small program. */
const buildMsMax = 120_000

// The Standard Webhooks library for Node skips `v1a`, so it can confirm nothing. Node, the SDK and Python's usual package all rest on OpenSSL; Go has an Ed25519 of its own.
test('an Ed25519 that is not OpenSSL’s says the same of the vectors', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'countersign-interop-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  const binary = join(directory, 'verify')
  const folder = join(import.meta.dirname, 'interop/ed25519-go')
  const built = spawnSync('go', ['-C', folder, 'build', '-o', binary, '.'], {
    timeout: buildMsMax,
    encoding: 'utf8',
  })
  if (built.error !== undefined) return t.skip('Go cannot be had here.')
  assert.equal(built.status, 0, built.stderr)
  const vectors = join(import.meta.dirname, '../../sdk/vectors/standard-ed25519.json')
  const { status, stdout } = spawnSync(binary, [vectors], { encoding: 'utf8' })
  assert.equal(status, 0, stdout)
})
