import { limits } from './limits.ts'

/**
 * The requests of a drill (rotation.md section 5). `two_signatures` is sent in both orders, in a
 * format that can carry two.
 */
export const probeNames = [
  'new_only',
  'bad_signature',
  'old_only',
  'two_signatures',
  'stale_timestamp',
] as const
export type ProbeName = (typeof probeNames)[number]

/** `inconclusive`: the answer says nothing of signatures, or two answers contradict each other. */
export type ProbeVerdict = 'pass' | 'fail' | 'inconclusive'

/** What came back for one probe. */
export interface ProbeAnswer {
  at: number
  /** Null where there was no answer. */
  statusCode: number | null
  error: string | null
  durationMs: number
}

export interface ProbeFinding {
  verdict: ProbeVerdict
  /** In the order in which the probes were sent. */
  answers: ProbeAnswer[]
}

/**
 * `verified`: the receiver takes the new secret and refuses a wrong one, shown twice.
 * `unverifying`: it takes a wrong one, so nothing that it takes proves anything.
 * `failed`: it refuses the new secret. `inconclusive`: none of these was shown.
 */
export type DrillVerdict = 'verified' | 'unverifying' | 'failed' | 'inconclusive'

/** One drill and what it showed. Probes that were not sent are left out. */
export interface DrillReport {
  at: number
  /** What it was run for. */
  cause: 'verify' | 'drill' | 'watch'
  verdict: DrillVerdict
  probes: Partial<Record<ProbeName, ProbeFinding>>
}

/** What is known of the receiver and the new secret of a rotation. */
export interface RotationEvidence {
  /** When a drill first gave proof; null: none did. */
  verifiedAt: number | null
  latest: DrillReport
  /** The drills before, newest first, at most `drillsKeptMax`. */
  earlier: { at: number; cause: DrillReport['cause']; verdict: DrillVerdict }[]
}

export function withDrill(evidence: RotationEvidence | null, drill: DrillReport): RotationEvidence {
  const verifiedAt = evidence?.verifiedAt ?? (drill.verdict === 'verified' ? drill.at : null)
  if (evidence === null) return { verifiedAt, latest: drill, earlier: [] }
  const { at, cause, verdict } = evidence.latest
  const earlier = [{ at, cause, verdict }, ...evidence.earlier].slice(0, limits.drillsKeptMax)
  return { verifiedAt, latest: drill, earlier }
}

/** The newest drill proved that the receiver takes the new secret, and knows a wrong one. */
export function isProven(evidence: RotationEvidence | null): boolean {
  return evidence?.latest.verdict === 'verified'
}

/**
 * True where a return to the previous secret would cost deliveries: the receiver was seen to take
 * the new one, by a probe or by what it reports, and no probe shows that it takes the one before.
 */
export function usesNewAlone(
  evidence: RotationEvidence | null,
  { hasReportedNew }: { hasReportedNew: boolean },
): boolean {
  // What takes anything goes on doing so.
  if (evidence?.latest.verdict === 'unverifying') return false
  const probes = evidence?.latest.probes
  if (probes?.old_only?.verdict === 'pass') return false
  return probes?.new_only?.verdict === 'pass' || hasReportedNew
}
