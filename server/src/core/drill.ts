import type {
  DrillReport,
  DrillVerdict,
  ProbeAnswer,
  ProbeFinding,
  ProbeName,
  ProbeVerdict,
} from './rotation-evidence.ts'

/** What a probe is signed with. `wrong`: the id of the new secret over a key that nobody knows. */
export type ProbeKey = 'new' | 'old' | 'wrong'

/** One request of a drill. */
export interface Probe {
  name: ProbeName
  /** In the order of the signatures. */
  keys: readonly ProbeKey[]
  /** How long ago it claims to be signed. */
  signedAgoMs: number
}

/** One request of a drill, in terms of the endpoint's secrets. */
export interface ProbeRequest {
  name: ProbeName
  /** In the order of the signatures; `isWrong`: under that id, but over a key that nobody knows. */
  keys: readonly { secretId: string; isWrong: boolean }[]
  /** How long ago it claims to be signed. */
  signedAgoMs: number
}

const newOnly: Probe = { name: 'new_only', keys: ['new'], signedAgoMs: 0 }
const badSignature: Probe = { name: 'bad_signature', keys: ['wrong'], signedAgoMs: 0 }

/** Twice what proves, back to back: a receiver must agree with itself. */
export const provingProbes: readonly Probe[] = [newOnly, badSignature, newOnly, badSignature]

/**
 * What explains the rest. Without an earlier secret, the second of two signatures is a wrong one:
 * a receiver that looks at each of them takes the request all the same.
 */
export function explainingProbes(options: { hasOld: boolean; signaturesMax: number }): Probe[] {
  const other: ProbeKey = options.hasOld ? 'old' : 'wrong'
  const probes: Probe[] = []
  if (options.hasOld) probes.push({ name: 'old_only', keys: ['old'], signedAgoMs: 0 })
  if (options.signaturesMax > 1) {
    probes.push({ name: 'two_signatures', keys: ['new', other], signedAgoMs: 0 })
    probes.push({ name: 'two_signatures', keys: [other, 'new'], signedAgoMs: 0 })
  }
  probes.push({ name: 'stale_timestamp', keys: ['new'], signedAgoMs: staleMs })
  return probes
}

/** Twice the tolerance of Standard Webhooks. */
const staleMs = 10 * 60_000

/** Collects the answers of a drill and says what they show. */
export interface Drill {
  /** False where no further probe of `provingProbes` could give proof. */
  canStillProve(): boolean
  add(probe: Probe, answer: ProbeAnswer): void
  report(at: number, cause: DrillReport['cause']): DrillReport
}

export function startDrill(): Drill {
  const findings: Partial<Record<ProbeName, ProbeFinding>> = {}
  const verdictOf = (name: ProbeName) => findings[name]?.verdict

  return {
    canStillProve() {
      // Where a wrong signature was taken, the second round confirms it: it is a grave thing to say.
      const bad = verdictOf('bad_signature')
      return (verdictOf('new_only') ?? 'pass') === 'pass' && bad !== 'inconclusive'
    },
    add({ name }, answer) {
      const own = probeVerdict(name, answer.statusCode)
      const before = findings[name]
      findings[name] = {
        verdict: before === undefined ? own : combined(name, before.verdict, own),
        answers: [...(before?.answers ?? []), answer],
      }
    },
    report: (at, cause) => ({ at, cause, verdict: drillVerdict(findings), probes: findings }),
  }
}

/** The table of rotation.md section 5. */
export function probeVerdict(name: ProbeName, statusCode: number | null): ProbeVerdict {
  if (statusCode === null) return 'inconclusive'
  const isTaken = statusCode >= 200 && statusCode < 300
  const isUnauthorized = statusCode === 401 || statusCode === 403
  switch (name) {
    case 'new_only':
    case 'old_only':
    case 'two_signatures':
      return isTaken ? 'pass' : isUnauthorized ? 'fail' : 'inconclusive'
    case 'bad_signature': {
      const isRefused = isUnauthorized || statusCode === 400 || statusCode === 422
      return isTaken ? 'fail' : isRefused ? 'pass' : 'inconclusive'
    }
    case 'stale_timestamp':
      return isTaken ? 'fail' : isRefusal(statusCode) ? 'pass' : 'inconclusive'
  }
}

/** Not where the receiver has not looked at the request: no such path, or too many requests. */
function isRefusal(statusCode: number): boolean {
  return statusCode >= 400 && statusCode < 500 && statusCode !== 404 && statusCode !== 429
}

/** Of two signatures both orders must be taken; a repeated probe must be answered alike. */
function combined(name: ProbeName, first: ProbeVerdict, second: ProbeVerdict): ProbeVerdict {
  if (first === second) return first
  const isRefusedInOneOrder = name === 'two_signatures' && (first === 'fail' || second === 'fail')
  return isRefusedInOneOrder ? 'fail' : 'inconclusive'
}

function drillVerdict(findings: Partial<Record<ProbeName, ProbeFinding>>): DrillVerdict {
  const { new_only: fresh, bad_signature: bad } = findings
  if (isTwice(bad) && bad.verdict === 'fail') return 'unverifying'
  if (fresh?.verdict === 'fail') return 'failed'
  const isProof = isTwice(fresh) && isTwice(bad)
  return isProof && fresh.verdict === 'pass' && bad.verdict === 'pass' ? 'verified' : 'inconclusive'
}

function isTwice(finding: ProbeFinding | undefined): finding is ProbeFinding {
  return finding !== undefined && finding.answers.length >= 2
}
