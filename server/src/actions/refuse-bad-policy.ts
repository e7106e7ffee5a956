import { invalidField } from '../core/errors.ts'
import type { FleetEntry } from '../core/fleet.ts'
import type { Project } from '../core/project.ts'
import { effectivePolicy, obstacleSentences, policyObstacle } from '../core/secret-policy.ts'
import { formatOf } from '../formats/registry.ts'
import type { Reads } from '../storage/storage.ts'
import type { ActionContext } from './action-context.ts'

const pageSize = 100

/** A project whose policy rotates must have only endpoints that the server can rotate by itself. */
export async function refuseBadPolicy(
  reads: Reads,
  context: ActionContext,
  { id, settings }: Project,
): Promise<void> {
  const { secretPolicy, publicUrl } = context.settings
  const { action, completeWhen } = effectivePolicy(secretPolicy, settings.secretPolicy)
  if (action !== 'rotate') return
  for await (const { endpointId, algorithm, format } of entriesOf(reads, context, id)) {
    const { signaturesMax, probeType } = formatOf(format)
    const obstacle = policyObstacle({
      algorithm,
      signaturesMax,
      hasProbe: probeType !== null,
      completeWhen,
      hasPublicUrl: publicUrl !== null,
    })
    if (obstacle === null) continue
    throw invalidField(
      'settings.secret_policy.action',
      `Endpoint ${endpointId} cannot be rotated by the server. ${obstacleSentences[obstacle]}`,
      obstacle,
    )
  }
}

/** Ends with the project's endpoints, whose number is bounded. */
async function* entriesOf(
  reads: Reads,
  context: ActionContext,
  projectId: string,
): AsyncGenerator<FleetEntry> {
  const filter = { now: context.clock.now(), defaultMaxAgeDays: null, projectIds: [projectId] }
  let after: string | null = null
  do {
    const page: Awaited<ReturnType<Reads['listFleet']>> = await reads.listFleet(filter, {
      limit: pageSize,
      after,
    })
    yield* page.items
    after = page.nextKey
  } while (after !== null)
}
