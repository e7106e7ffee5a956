import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explainingProbes, type Probe, probeVerdict, provingProbes, startDrill } from './drill.ts'
import type { ProbeName, ProbeVerdict } from './rotation-evidence.ts'

test('an answer means what the table of rotation.md section 5 says', () => {
  const table: Record<ProbeName, Partial<Record<ProbeVerdict, (number | null)[]>>> = {
    new_only: {
      pass: [200, 204, 299],
      fail: [401, 403],
      inconclusive: [null, 301, 400, 404, 422, 429, 500],
    },
    old_only: { pass: [200], fail: [401, 403], inconclusive: [null, 404, 429, 503] },
    two_signatures: { pass: [202], fail: [401, 403], inconclusive: [null, 400, 404, 429, 500] },
    bad_signature: {
      pass: [400, 401, 403, 422],
      fail: [200, 204],
      inconclusive: [null, 302, 404, 429, 500],
    },
    stale_timestamp: {
      pass: [400, 401, 403, 410, 422],
      fail: [200],
      inconclusive: [null, 404, 429, 500],
    },
  }
  for (const [name, verdicts] of Object.entries(table)) {
    for (const [verdict, codes] of Object.entries(verdicts)) {
      for (const code of codes) {
        assert.equal(probeVerdict(name as ProbeName, code), verdict, `${name} ${code}`)
      }
    }
  }
})

/** A receiver of which each probe's answers are given in turn; the last one is repeated. */
function run(answers: Partial<Record<ProbeName, number[]>>, probes = provingProbes) {
  const drill = startDrill()
  const sent: ProbeName[] = []
  for (const probe of probes) {
    if (!drill.canStillProve()) break
    sent.push(probe.name)
    const own = answers[probe.name] ?? [200]
    const nth = sent.filter((name) => name === probe.name).length
    const statusCode = own[Math.min(nth, own.length) - 1] ?? 200
    drill.add(probe, { at: sent.length, statusCode, error: null, durationMs: 1 })
  }
  return { sent, report: drill.report(99, 'verify') }
}

test('proof takes both probes, twice, alike', () => {
  const { report, sent } = run({ new_only: [200], bad_signature: [401] })
  assert.equal(report.verdict, 'verified')
  assert.deepEqual(sent, ['new_only', 'bad_signature', 'new_only', 'bad_signature'])
  const cases: [Parameters<typeof run>[0], string][] = [
    [{ new_only: [200, 401], bad_signature: [401] }, 'inconclusive'],
    [{ new_only: [200, 500], bad_signature: [401] }, 'inconclusive'],
    [{ new_only: [200], bad_signature: [401, 200] }, 'inconclusive'],
    [{ new_only: [200], bad_signature: [200, 401] }, 'inconclusive'],
    [{ new_only: [200], bad_signature: [500] }, 'inconclusive'],
    [{ new_only: [401], bad_signature: [401] }, 'failed'],
    [{ new_only: [200], bad_signature: [200] }, 'unverifying'],
    [{ new_only: [500], bad_signature: [500] }, 'inconclusive'],
    [{ new_only: [404], bad_signature: [404] }, 'inconclusive'],
    [{ new_only: [429], bad_signature: [429] }, 'inconclusive'],
  ]
  for (const [answers, verdict] of cases) {
    assert.equal(run(answers).report.verdict, verdict, JSON.stringify(answers))
  }
})

test('stops where it can prove nothing any more, and asks a second time before it accuses', () => {
  assert.deepEqual(run({ new_only: [401] }).sent, ['new_only'])
  assert.deepEqual(run({ bad_signature: [500] }).sent, ['new_only', 'bad_signature'])
  assert.equal(run({ bad_signature: [200] }).sent.length, 4)
})

test('two signatures are sent in both orders, and one refusal is enough', () => {
  const keysOf = (probes: Probe[]) => probes.map(({ name, keys }) => [name, ...keys])
  assert.deepEqual(keysOf(explainingProbes({ hasOld: true, signaturesMax: 3 })), [
    ['old_only', 'old'],
    ['two_signatures', 'new', 'old'],
    ['two_signatures', 'old', 'new'],
    ['stale_timestamp', 'new'],
  ])
  assert.deepEqual(keysOf(explainingProbes({ hasOld: false, signaturesMax: 3 })), [
    ['two_signatures', 'new', 'wrong'],
    ['two_signatures', 'wrong', 'new'],
    ['stale_timestamp', 'new'],
  ])
  assert.deepEqual(keysOf(explainingProbes({ hasOld: false, signaturesMax: 1 })), [
    ['stale_timestamp', 'new'],
  ])
  const verdictOf = (codes: number[]) =>
    run({ two_signatures: codes }, explainingProbes({ hasOld: true, signaturesMax: 3 })).report
      .probes.two_signatures?.verdict
  assert.equal(verdictOf([200, 200]), 'pass')
  assert.equal(verdictOf([200, 401]), 'fail')
  assert.equal(verdictOf([401, 200]), 'fail')
  assert.equal(verdictOf([200, 500]), 'inconclusive')
})
