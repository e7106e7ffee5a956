import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { createNameResolver, NameLookupError, type ResolvedAddress } from './name-resolver.ts'

/** A resolver whose answers are given by hand, on a clock that stands still. */
function handResolver(limits: Parameters<typeof createNameResolver>[0]['limits'] = {}) {
  const asked: string[] = []
  const open = new Map<string, (outcome: ResolvedAddress[] | Error) => void>()
  const clock = { nowMs: 0 }
  const resolve = createNameResolver({
    monotonicNow: () => clock.nowMs,
    limits,
    lookup(hostname) {
      asked.push(hostname)
      const { promise, resolve: fulfil, reject } = Promise.withResolvers<ResolvedAddress[]>()
      open.set(hostname, (outcome) =>
        outcome instanceof Error ? reject(outcome) : fulfil(outcome),
      )
      return promise
    },
  })
  return { asked, open, clock, resolve }
}

const address: ResolvedAddress[] = [{ address: '192.0.2.1', family: 4 }]
const notFound = Object.assign(new Error('no'), { code: 'ENOTFOUND' })

test('concurrent lookups of one name are one lookup', async () => {
  const { asked, open, resolve } = handResolver()
  const answers = Promise.all([resolve('a'), resolve('a'), resolve('a')])
  await turn()
  open.get('a')!(address)
  assert.deepEqual(await answers, [address, address, address])
  assert.deepEqual(asked, ['a'])
})

test('an answer is kept for five seconds and a failure for one', async () => {
  const { asked, open, clock, resolve } = handResolver()
  const failing = assert.rejects(resolve('a'), NameLookupError)
  await turn()
  open.get('a')!(notFound)
  await failing
  clock.nowMs = 999
  await assert.rejects(resolve('a'), (error: NameLookupError) => error.code === 'ENOTFOUND')
  assert.equal(asked.length, 1)

  clock.nowMs = 1000
  const answering = resolve('a')
  await turn()
  open.get('a')!(address)
  assert.deepEqual(await answering, address)
  clock.nowMs = 5999
  assert.deepEqual(await resolve('a'), address)
  assert.equal(asked.length, 2)

  clock.nowMs = 6000
  const again = resolve('a')
  await turn()
  assert.equal(asked.length, 3)
  open.get('a')!(address)
  await again
})

test('a name without addresses is a failed lookup', async () => {
  const { open, resolve } = handResolver()
  const failing = assert.rejects(resolve('a'), { code: 'ENODATA' })
  await turn()
  open.get('a')!([])
  await failing
})

test('runs a bounded number of lookups and the rest in order of arrival', async () => {
  const { asked, open, resolve } = handResolver({ lookupsMax: 2 })
  const answers = Promise.all(['a', 'b', 'c', 'd'].map(resolve))
  await turn()
  assert.deepEqual(asked, ['a', 'b'])
  open.get('b')!(address)
  await turn()
  assert.deepEqual(asked, ['a', 'b', 'c'])
  open.get('a')!(address)
  await turn()
  assert.deepEqual(asked, ['a', 'b', 'c', 'd'])
  open.get('c')!(address)
  open.get('d')!(address)
  await answers
})

test('names that were slow wait for each other and hold up no other name', async () => {
  const { asked, open, clock, resolve } = handResolver({ lookupsMax: 2, suspectLookupsMax: 1 })
  // Two dead names take every lookup there is, once.
  const dead = ['dead1', 'dead2'].map((name) => assert.rejects(resolve(name)))
  await turn()
  clock.nowMs = 10_000
  for (const name of ['dead1', 'dead2']) open.get(name)!(notFound)
  await Promise.all(dead)

  // Asked for again, only one of them is looked up, and names beside them pass.
  clock.nowMs = 20_000
  const deadAgain = ['dead1', 'dead2'].map((name) => assert.rejects(resolve(name)))
  const alive = ['a', 'b'].map(resolve)
  await turn()
  assert.deepEqual(asked.slice(2), ['dead1', 'a', 'b'])
  open.get('a')!(address)
  open.get('b')!(address)
  assert.deepEqual(await Promise.all(alive), [address, address])

  open.get('dead1')!(notFound)
  await turn()
  assert.equal(asked.at(-1), 'dead2')
  open.get('dead2')!(notFound)
  await Promise.all(deadAgain)
})

test('a name that is quick again is no longer suspect', async () => {
  const { asked, open, clock, resolve } = handResolver({ lookupsMax: 1, suspectLookupsMax: 1 })
  const ask = async (name: string, tookMs: number): Promise<void> => {
    const answer = resolve(name)
    await turn()
    clock.nowMs += tookMs
    open.get(name)!(address)
    await answer
    clock.nowMs += 5_000
  }
  await ask('a', 3_000)
  await ask('a', 10)
  const held = resolve('b')
  const waiting = resolve('a')
  await turn()
  assert.equal(asked.at(-1), 'b', 'a waits for b in the ordinary lane')
  open.get('b')!(address)
  await held
  await turn()
  open.get('a')!(address)
  await waiting
})

test('keeps a bounded number of names and refuses more than a bounded number of waiting ones', async () => {
  const { asked, open, resolve } = handResolver({ namesKeptMax: 2, namesWaitingMax: 3 })
  for (const name of ['a', 'b', 'c']) {
    const answer = resolve(name)
    await turn()
    open.get(name)!(address)
    await answer
  }
  const waiting = [resolve('a')]
  await turn()
  assert.deepEqual(asked, ['a', 'b', 'c', 'a'], 'the oldest name was forgotten')
  assert.deepEqual(await resolve('c'), address)

  waiting.push(resolve('x'), resolve('y'))
  await assert.rejects(resolve('z'), { code: 'EBUSY' })
  await turn()
  for (const name of ['a', 'x', 'y']) open.get(name)!(address)
  await Promise.all(waiting)
})

test('asks the system, so names of /etc/hosts resolve', async () => {
  const resolve = createNameResolver({ monotonicNow: () => performance.now() })
  const addresses = await resolve('localhost')
  assert.ok(addresses.some((found) => found.address === '127.0.0.1' || found.address === '::1'))
})
