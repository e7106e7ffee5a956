import { type Received, startReceiver } from './receiver.ts'
import { startTestApp } from './start-test-app.ts'
import { until } from './until.ts'

/** One delivery as it arrived, and what a verifier with this one secret has to make of it. */
export interface CapturedDelivery {
  name: string
  secret: string
  headers: Record<string, string>
  body: string
  isValid: boolean
}

/** Far less than what a verifier allows a clock to be ahead. */
const overlapSeconds = 60

/**
 * Delivers before, during and after a rotation with an overlap, in the format of an endpoint made by
 * `create`, and pairs each delivery with the old secret, the new one, and one that is neither.
 */
export async function captureOverlap(format: 'standard' | 'dinie'): Promise<CapturedDelivery[]> {
  const server = await startTestApp()
  const receiver = await startReceiver()
  try {
    const project = (await server.client.projects.create({ name: 'Overlap' })).id
    const { endpoints, events } = server.client
    const endpoint = await endpoints.create(project, { url: receiver.url, format })
    const deliver = async (when: string): Promise<Received> => {
      const before = receiver.received.length
      await events.publish(project, { type: 'loan.created', data: { when, amount: 12.5 } })
      await until(`the delivery ${when} arrives`, () => receiver.received.length > before)
      const received = receiver.received[before]
      if (received === undefined) throw new Error('Nothing arrived.')
      return received
    }
    const first = await deliver('before')
    const rotated = await endpoints.rotateSecret(project, endpoint.id, {
      expireCurrentIn: overlapSeconds,
    })
    const second = await deliver('during')
    const expiresAt = Date.parse(rotated.previousSecretExpiresAt ?? '')
    server.clock.adjust(expiresAt - server.clock.now())
    const third = await deliver('after')
    const other = `whsec_${Buffer.alloc(32, 9).toString('base64')}`
    return [
      ...captured('before', first, [endpoint.secret], [rotated.secret, other]),
      ...captured('during', second, [endpoint.secret, rotated.secret], [other]),
      ...captured('after', third, [rotated.secret], [endpoint.secret, other]),
    ]
  } finally {
    await receiver.close()
    await server.dispose()
  }
}

function captured(
  when: string,
  { headers, body }: Received,
  good: readonly string[],
  bad: readonly string[],
): CapturedDelivery[] {
  const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature']
  const own = Object.fromEntries(names.map((name) => [name, String(headers[name])]))
  return [
    ...good.map((secret) => ({ secret, isValid: true })),
    ...bad.map((secret) => ({ secret, isValid: false })),
  ].map(({ secret, isValid }, index) => ({
    name: `${when} the window, secret ${index + 1}: ${isValid ? 'accepted' : 'rejected'}`,
    secret,
    headers: own,
    body: body.toString(),
    isValid,
  }))
}
