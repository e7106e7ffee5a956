import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { afterTurn, type Campaign, planCampaignVerb, turnsAt } from './campaign.ts'

const campaign: Campaign = {
  id: 'cmp_1',
  status: 'running',
  filter: {},
  rotation: {
    deliver: null,
    activateAt: null,
    expireCurrentInSeconds: null,
    completeWhen: 'expiry',
    reason: null,
  },
  perMinute: 60,
  nextAt: 0,
  actor: { type: 'root', id: null, name: null },
  createdAt: 0,
  updatedAt: 0,
  closedAt: null,
}

const ROUNDING_MS = 0.001

test('no minute has more turns than the pace and one second to catch up', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6_000 }),
      fc.array(fc.integer({ min: 0, max: 90_000 }), { minLength: 1, maxLength: 60 }),
      (perMinute, waits) => {
        let now = 0
        let current: Campaign = { ...campaign, perMinute }
        const turns: number[] = []
        for (const wait of waits) {
          now += wait
          const count = turnsAt(current, now)
          for (let turn = 0; turn < count; turn += 1) {
            current = { ...current, nextAt: afterTurn(current, now) }
            turns.push(now)
          }
          // Sums of fractions are rounded: one turn that is due at this very moment may be left.
          const isDueByRounding = Math.abs(current.nextAt - now) < ROUNDING_MS
          assert.ok(turnsAt(current, now) === 0 || isDueByRounding, 'every turn is taken')
        }
        const most = perMinute + perMinute / 60 + 2
        for (const [index, at] of turns.entries()) {
          const until = turns.findIndex((later) => later >= at + 60_000)
          const count = (until < 0 ? turns.length : until) - index
          assert.ok(count <= most, `${count} in a minute at ${perMinute}`)
        }
      },
    ),
    // The case in which the sum of sixty intervals is the second itself, but for a rounding.
    { examples: [[3_600, [33_085]]] },
  )
})

test('keeps its pace where it is looked at every second, to the fraction', () => {
  for (const perMinute of [1, 7, 59, 60, 61, 1_000, 6_000]) {
    let current: Campaign = { ...campaign, perMinute }
    let turns = 0
    for (let now = 0; now < 600_000; now += 1_000) {
      for (let count = turnsAt(current, now); count > 0; count -= 1) {
        current = { ...current, nextAt: afterTurn(current, now) }
        turns += 1
      }
    }
    const due = perMinute * 10
    assert.ok(turns >= due * 0.99 - 1 && turns <= due + perMinute / 60 + 1, `${turns} of ${due}`)
  }
})

test('a verb changes the status, repeats in vain, and is refused once it is over', () => {
  const paused = planCampaignVerb(campaign, 'pause', 5)
  assert.deepEqual([paused.status, paused.updatedAt, paused.closedAt], ['paused', 5, null])
  assert.equal(planCampaignVerb(paused, 'pause', 6), paused)
  assert.equal(planCampaignVerb(paused, 'resume', 7).status, 'running')
  const cancelled = planCampaignVerb(paused, 'cancel', 8)
  assert.deepEqual([cancelled.status, cancelled.closedAt], ['cancelled', 8])
  assert.equal(planCampaignVerb(cancelled, 'cancel', 9), cancelled)
  for (const verb of ['pause', 'resume'] as const) {
    assert.throws(() => planCampaignVerb(cancelled, verb, 9), { code: 'campaign_closed' })
  }
})
