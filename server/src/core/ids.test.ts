import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { createIdFactory, idOfUuid, idPrefixes, isId, looksLikeId, uuidOf } from './ids.ts'

const now = 1_800_000_000_000
const uuidPartOf = (id: string) => id.slice(id.indexOf('_') + 1)

test('makes a UUIDv7 with the time in front, for every prefix', () => {
  const newId = createIdFactory({ now: () => now, randomBytes })
  for (const prefix of idPrefixes) {
    const id = newId(prefix)
    assert.ok(isId(prefix, id), id)
    assert.match(
      uuidOf(id),
      /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    )
    assert.equal(Number.parseInt(uuidPartOf(id).slice(0, 12), 16), now)
  }
})

test('makes ids that strictly increase, whatever the clock does', () => {
  const steps = fc.array(
    fc.record({ stepMs: fc.integer({ min: -5000, max: 5000 }), count: fc.nat(6000) }),
    { maxLength: 12 },
  )
  fc.assert(
    fc.property(steps, (runs) => {
      let time = now
      let last = ''
      const newId = createIdFactory({ now: () => time, randomBytes })
      for (const { stepMs, count } of runs) {
        time += stepMs
        for (let index = 0; index < count; index += 1) {
          const uuid = uuidPartOf(newId(idPrefixes[index % idPrefixes.length] ?? 'evt'))
          assert.ok(uuid > last, `${uuid} after ${last}`)
          last = uuid
        }
      }
    }),
    { numRuns: 30 },
  )
})

test('runs ahead of a clock that stands still by a millisecond in 2048 ids at most', () => {
  const newId = createIdFactory({ now: () => now, randomBytes })
  let last = ''
  for (let count = 0; count < 100_000; count += 1) last = newId('evt')
  const aheadMs = Number.parseInt(uuidPartOf(last).slice(0, 12), 16) - now
  assert.ok(aheadMs <= Math.ceil(100_000 / 2048), `${aheadMs} ms ahead`)
})

test('takes the clock up again once it has caught up', () => {
  let time = now
  const newId = createIdFactory({ now: () => time, randomBytes })
  newId('evt')
  time = now + 10
  assert.equal(Number.parseInt(uuidPartOf(newId('evt')).slice(0, 12), 16), now + 10)
})

test('differs between factories that start in the same millisecond', () => {
  const ids = new Set<string>()
  for (let process = 0; process < 2000; process += 1) {
    ids.add(createIdFactory({ now: () => now, randomBytes })('evt'))
  }
  assert.equal(ids.size, 2000)
})

test('uses every byte of randomness once, and asks for it in blocks', () => {
  let calls = 0
  const newId = createIdFactory({
    now: () => now,
    randomBytes: (size) => {
      calls += 1
      return randomBytes(size)
    },
  })
  const tails = new Set<string>()
  for (let count = 0; count < 10_000; count += 1) tails.add(uuidPartOf(newId('dlv')).slice(16))
  assert.equal(tails.size, 10_000)
  assert.ok(calls <= 30, `${calls} calls for 10,000 ids`)
})

test('knows its own ids and no others', () => {
  const id = 'evt_01a1fbea046072fe8125079d7c079729'
  assert.equal(isId('evt', id), true)
  for (const text of [
    '',
    'evt_',
    id.slice(1),
    `${id}0`,
    id.slice(0, -1),
    id.toUpperCase(),
    `${id}\n`,
  ]) {
    assert.equal(isId('evt', text), false, JSON.stringify(text))
  }
  assert.equal(isId('ep', id), false)
  assert.equal(isId('evt', id.replace('evt_', 'evt-')), false)
  assert.equal(isId('evt', id.replace('01a', 'g1a')), false)
})

test('says what could be taken for an id', () => {
  const hex = '01a1fbea046072fe8125079d7c079729'
  for (const prefix of idPrefixes) {
    assert.equal(looksLikeId(`${prefix}_${hex}`), true)
    assert.equal(looksLikeId(`${prefix}_${hex}`.toUpperCase()), true)
  }
  for (const text of ['evt_1', `evt_${hex}0`, 'EP_x']) assert.equal(looksLikeId(text), true, text)
  for (const text of ['customer-42', hex, `abc_${hex}`, `x evt_${hex}`, 'event_1', 'ep-1']) {
    assert.equal(looksLikeId(text), false, text)
  }
})

test('goes from id to UUID and back', () => {
  const newId = createIdFactory({ now: () => now, randomBytes })
  for (const prefix of idPrefixes) {
    const id = newId(prefix)
    assert.equal(idOfUuid(prefix, uuidOf(id)), id)
    assert.equal(idOfUuid(prefix, uuidOf(id).toUpperCase()), id)
  }
  for (const text of [
    '',
    'x',
    '01a1fbea046072fe8125079d7c079729',
    '01a1fbea-0460-72fe-8125-079d7c07972g',
  ]) {
    assert.equal(idOfUuid('evt', text), null, text)
  }
  assert.throws(() => uuidOf('customer-42'))
})
