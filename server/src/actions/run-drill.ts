import {
  type Drill,
  explainingProbes,
  type Probe,
  provingProbes,
  startDrill,
} from '../core/drill.ts'
import type { Endpoint } from '../core/endpoint.ts'
import { AppError } from '../core/errors.ts'
import type { DrillReport } from '../core/rotation-evidence.ts'
import { formatOf } from '../formats/registry.ts'
import type { ActionContext } from './action-context.ts'

/** What a drill is run with. */
export interface DrillRequest {
  endpoint: Endpoint
  newSecretId: string
  /** Null: there is none that still signs. */
  oldSecretId: string | null
  cause: DrillReport['cause']
  /** Only what could prove, as long as it could. */
  isBrief: boolean
}

/** True where the endpoint can be sent a probe: signed to, in a format that has one. */
export function canProbe({ format, signingEnabled }: Endpoint): boolean {
  return signingEnabled && formatOf(format).probeType !== null
}

/** Throws `not_verifiable` unless the endpoint can be sent a probe. */
export function requireProbe(endpoint: Endpoint): void {
  if (canProbe(endpoint)) return
  const why = endpoint.signingEnabled
    ? `the format ${endpoint.format} has no probe`
    : 'signing is switched off'
  throw new AppError('not_verifiable', { detail: `This endpoint cannot be probed: ${why}.` })
}

/**
 * Sends the probes of rotation.md section 5 one after the other and says what they show. They carry
 * nothing of a customer, are never retried, and count in nobody's health.
 *
 * Throws `rate_limit_exceeded` where not even those that prove may be sent now.
 */
export async function runDrill(
  context: ActionContext,
  request: DrillRequest,
): Promise<DrillReport> {
  const { endpoint } = request
  const { projectId, id } = endpoint
  context.probeLimiter.require(projectId, id, provingProbes.length)
  const drill = startDrill()
  const isAnswered = await sendAll(context, request, drill, provingProbes, drill.canStillProve)
  if (isAnswered && !request.isBrief) {
    const hasOld = request.oldSecretId !== null
    const { signaturesMax } = formatOf(endpoint.format)
    const probes = explainingProbes({ hasOld, signaturesMax })
    await sendAll(context, request, drill, probes, () => true)
  }
  return drill.report(context.clock.now(), request.cause)
}

/** False where the receiver could not be reached: what follows would not reach it either. */
async function sendAll(
  context: ActionContext,
  request: DrillRequest,
  drill: Drill,
  probes: readonly Probe[],
  isWorthwhile: () => boolean,
): Promise<boolean> {
  const { projectId, id } = request.endpoint
  for (const probe of probes) {
    if (!isWorthwhile()) return true
    if (!context.probeLimiter.take(projectId, id)) return true
    const answer = await context.probe(request.endpoint, {
      name: probe.name,
      signedAgoMs: probe.signedAgoMs,
      keys: probe.keys.map((key) => ({
        secretId:
          key === 'old' ? (request.oldSecretId ?? request.newSecretId) : request.newSecretId,
        isWrong: key === 'wrong',
      })),
    })
    drill.add(probe, answer)
    if (answer.statusCode === null) return false
  }
  return true
}
