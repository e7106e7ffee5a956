import assert from 'node:assert/strict'
import type { Clock } from '../../core/clock.ts'
import { deliveryStatuses } from '../../core/delivery.ts'
import { blockers } from '../../core/fleet.ts'
import type { DeliveryFilter, Storage } from '../storage.ts'
import { onePage } from './pages-suite.ts'
import { createSamples } from './samples-suite.ts'

/** Runs every kind of query once, for a test that looks at how each is answered. */
export async function exerciseStorage({
  storage,
  clock,
}: {
  storage: Storage
  clock: Clock
}): Promise<void> {
  const samples = createSamples({ storage, clock })
  const { project, endpoint } = await samples.addPair()
  const [event] = await samples.publish(project.id, { id: 'own', hasCallerId: true }, {})
  const dueAt = clock.now() + 5
  const [delivery] = await samples.deliverAll({ next: { status: 'pending', dueAt } })
  assert.ok(event && delivery)
  for (const status of [undefined, ...deliveryStatuses]) {
    for (const endpointId of [undefined, endpoint.id]) {
      for (const eventType of [undefined, event.type]) {
        for (const eventId of [undefined, event.id]) {
          const given = { status, endpointId, eventType, eventId, since: 1, until: 5 }
          const filter = Object.entries(given).filter(([, value]) => value !== undefined)
          const read = Object.fromEntries(filter) as DeliveryFilter
          await storage.listDeliveries(project.id, read, onePage)
          await storage.listDeliveriesAt(project.id, read, { skip: 1, limit: 1 })
          await storage.countDeliveries(project.id, read)
        }
      }
    }
  }
  const secret = samples.secret(endpoint)
  await storage.transact(async (tx) => {
    await tx.retryDelivery(delivery.id, clock.now())
    await tx.insertSecret(secret)
    await tx.updateSecretTimes({ id: secret.id, revokedAt: 1 })
    await tx.insertRotation(samples.rotation(secret, secret))
    await tx.deleteExpiredIdempotentAnswers(1, 1)
  })
  await samples.claimAll()
  await storage.getDelivery(project.id, delivery.id)
  await storage.listAttempts(delivery.id)
  await storage.findApiKeyByClientId('none')
  await storage.findApiKeyById('none')
  const endpointStretch = { skip: 0, limit: 1, afterId: endpoint.id }
  await storage.listEndpointsAt(project.id, { dialect: 'dinie' }, endpointStretch)
  await storage.countEndpointsByCondition(project.id)
  await storage.countEndpoints(project.id, { rotatingAt: clock.now() })
  const span = { since: 0, until: clock.now() + 1, bucketMs: 1_000, deliveriesMax: 10 }
  await storage.deliveryStats(project.id, span)
  await storage.deliveryStats(project.id, { ...span, endpointId: endpoint.id })
  await storage.getEvent(project.id, event.id)
  await storage.listEvents(project.id, onePage)
  await storage.listSecrets(endpoint.id)
  await storage.listOpenRotations(clock.now())
  await exerciseFleet(storage, clock.now())
  await storage.latestRotation(endpoint.id)
  await storage.listDueAnnouncements(1, 1)
  await storage.nextAnnouncementAt()
  await storage.listAuditRows(project.id, { actor: 'x', action: 'y', since: 1 }, onePage)
  await storage.transact((tx) => tx.deleteProject(project.id, clock.now()))
}

async function exerciseFleet(storage: Storage, now: number): Promise<void> {
  const fleet = { now, defaultMaxAgeDays: 1 }
  await storage.listFleet(fleet, onePage)
  await storage.countOverAge(fleet)
  for (const blocker of blockers) await storage.listFleet({ ...fleet, blocker }, onePage)
}
