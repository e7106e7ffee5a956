import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createOutageLog } from './outage-log.ts'
import { StorageUnavailableError } from './storage/storage.ts'

test('a store that is away is told of once a minute by each; everything else each time', () => {
  const told: string[] = []
  let now = 0
  const onError = createOutageLog({
    log: (message) => void told.push(message),
    monotonic: () => now,
  })
  const away = new StorageUnavailableError('The store cannot be reached now.')
  for (now = 0; now < 120_000; now += 1_000) {
    onError('No campaign.', away)
    if (now % 2_000 === 0) onError('No announcement.', away)
  }
  const count = (message: string) => told.filter((each) => each === message).length
  assert.deepEqual([count('No campaign.'), count('No announcement.')], [2, 2])
  for (let times = 0; times < 3; times++) onError('No campaign.', new RangeError('a mistake'))
  assert.equal(count('No campaign.'), 5)
})
