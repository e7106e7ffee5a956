import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDemoScreen } from './demo-screen.ts'

function create(options: { isTTY: boolean; canRedraw: boolean }) {
  const written: string[] = []
  const write = (text: string | Uint8Array) => written.push(String(text)) > 0
  const { isTTY, canRedraw } = options
  return { written, screen: createDemoScreen({ stdout: { write, isTTY }, canRedraw }) }
}

test('only a terminal that can move its cursor is drawn on', () => {
  assert.equal(create({ isTTY: true, canRedraw: true }).screen.isLive, true)
  assert.equal(create({ isTTY: true, canRedraw: false }).screen.isLive, false)
  assert.equal(create({ isTTY: false, canRedraw: true }).screen.isLive, false)
})

test('a picture replaces the one before, and what was said stays above the next', () => {
  const { written, screen } = create({ isTTY: true, canRedraw: true })
  screen.draw(['a', 'b'])
  screen.draw(['c', 'd', 'e'])
  screen.say('done')
  screen.draw(['f'])
  assert.deepEqual(written, [
    '\x1b[2Ka\n\x1b[2Kb\n',
    '\x1b[2A\x1b[2Kc\n\x1b[2Kd\n\x1b[2Ke\n',
    'done\n',
    '\x1b[2Kf\n',
  ])
})
