import { describe, test } from 'node:test'
import type { Storage } from './storage.ts'
import { campaignsSuite } from './suite/campaigns-suite.ts'
import { claimModelSuite } from './suite/claim-model-suite.ts'
import { claimsSuite } from './suite/claims-suite.ts'
import { deliveriesSuite } from './suite/deliveries-suite.ts'
import { endpointsSuite } from './suite/endpoints-suite.ts'
import { eventsSuite } from './suite/events-suite.ts'
import { handOffSuite } from './suite/hand-off-suite.ts'
import { operationsSuite } from './suite/operations-suite.ts'
import { projectsSuite } from './suite/projects-suite.ts'
import { recordsSuite } from './suite/records-suite.ts'
import { removalsSuite } from './suite/removals-suite.ts'
import { createSamples, type Samples } from './suite/samples-suite.ts'
import { secretsSuite } from './suite/secrets-suite.ts'
import { stretchesModelSuite } from './suite/stretches-model-suite.ts'
import { stretchesSuite } from './suite/stretches-suite.ts'
import type { TestClock } from './suite/test-clock-suite.ts'
import { transactionsSuite } from './suite/transactions-suite.ts'

/** One empty store of the adapter under test. */
export interface OpenedStore {
  /** The storage as it is open now: another object after `reopen`. */
  readonly storage: Storage
  /** The clock that the storage was opened with. */
  readonly clock: TestClock
  /** Closes and opens again, as a restart of the process does. */
  reopen(): Promise<void>
  dispose(): Promise<void>
}

export type OpenStore = (options?: { leaseMs?: number }) => Promise<OpenedStore>

/** What a test of the suite is given. */
export interface StoreUnderTest extends OpenedStore {
  readonly samples: Samples
}

/** Registers a test on a store of its own. */
export type StoreTest = (
  name: string,
  body: (store: StoreUnderTest) => Promise<void>,
  options?: { leaseMs?: number },
) => void

/**
 * What every adapter of the storage port must pass: each member of the port, and what it promises
 * about transactions, restarts and leases. `modelRuns`: how often each comparison with a model is made.
 */
export function storageSuite(name: string, open: OpenStore, modelRuns = 50): void {
  const storeTest: StoreTest = (title, body, options) =>
    test(title, async () => {
      const store = await open(options)
      try {
        await body(Object.assign(store, { samples: createSamples(store) }))
      } finally {
        await store.dispose()
      }
    })

  describe(`storage on ${name}`, () => {
    describe('projects and keys', () => projectsSuite(storeTest))
    describe('endpoints', () => endpointsSuite(storeTest))
    describe('secrets and rotations', () => secretsSuite(storeTest))
    describe('fleet and campaigns', () => campaignsSuite(storeTest))
    describe('stretches and counts', () => stretchesSuite(storeTest))
    describe('stretches and counts, of anything', () => stretchesModelSuite(open, modelRuns))
    describe('keys, catalogue and portal', () => operationsSuite(storeTest))
    describe('recoveries and removals', () => removalsSuite(storeTest))
    describe('events', () => eventsSuite(storeTest))
    describe('deliveries and attempts', () => deliveriesSuite(storeTest))
    describe('claims and leases', () => claimsSuite(storeTest))
    describe('claims, against a model', () => claimModelSuite(open, modelRuns))
    describe('hand-off', () => handOffSuite(storeTest))
    describe('transactions', () => transactionsSuite(storeTest))
    describe('audit, idempotency, announcements, notebook', () => recordsSuite(storeTest))
  })
}
