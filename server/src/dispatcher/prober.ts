import type { Clock } from '../core/clock.ts'
import type { ProbeRequest } from '../core/drill.ts'
import type { Endpoint } from '../core/endpoint.ts'
import type { IdPrefix } from '../core/ids.ts'
import type { ProbeAnswer } from '../core/rotation-evidence.ts'
import { formatOf } from '../formats/registry.ts'
import type { Dispatcher } from './dispatcher.ts'

/** Says nothing of a customer, and is the same in every probe. */
const probeData = '{"message":"A probe from Countersign: it asks whether signatures are checked."}'

/** Makes the probes of drills and marks each in the log. */
export function createProber(options: {
  clock: Clock
  newId: (prefix: IdPrefix) => string
  dispatcher: Pick<Dispatcher, 'probe'>
  logger: { info(facts: object, message: string): void }
}): (endpoint: Endpoint, request: ProbeRequest) => Promise<ProbeAnswer> {
  const { clock, dispatcher, logger, newId } = options
  return async (endpoint, { name, keys, signedAgoMs }) => {
    const { probeType } = formatOf(endpoint.format)
    if (probeType === null) throw new Error(`The format ${endpoint.format} has no probe.`)
    const answer = await dispatcher.probe({
      id: newId('dlv'),
      endpointId: endpoint.id,
      event: {
        id: newId('evt'),
        projectId: endpoint.projectId,
        type: probeType,
        timestamp: new Date(clock.now()).toISOString(),
        data: probeData,
        metadata: '{}',
      },
      keys,
      signedAgoMs,
    })
    const { statusCode, error, durationMs } = answer
    const facts = { endpointId: endpoint.id, probe: name, statusCode, error, durationMs }
    logger.info(facts, 'A probe was sent.')
    return answer
  }
}
