import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { startChild } from './child.ts'
import { residentBytes, startCpuMeter } from './cpu-meter.ts'

const skip = !existsSync('/proc/self/stat') && 'no /proc on this system'

/** Burns 300 ms of CPU, says so, and stays. */
const burner = `
  const used = () => { const { user, system } = process.cpuUsage(); return user + system }
  const until = used() + 300_000
  while (used() < until);
  console.log('{}')
  process.stdin.on('end', () => process.exit()).resume()`

test('counts the CPU of a named process as ours, even one that began meanwhile', {
  skip,
}, async () => {
  const meter = startCpuMeter({})
  await using child = await burn()
  const { usByProcess } = meter.finish({ burner: child.pid })
  assert.ok((usByProcess.burner ?? 0) >= 280_000, `${usByProcess.burner} µs`)
})

test('counts what a named process started as its own', { skip }, async () => {
  const command = ['/bin/sh', '-c', `"$0" "$@"; true`, process.execPath, '-e', burner]
  await using child = startChild({ command })
  const meter = startCpuMeter({ family: child.pid })
  await child.nextLine(60_000)
  const { usByProcess } = meter.finish()
  assert.ok((usByProcess.family ?? 0) >= 250_000, `${usByProcess.family} µs`)
})

test('counts the CPU of a process that nobody named as foreign', { skip }, async () => {
  const meter = startCpuMeter({})
  await using _child = await burn()
  const { foreignCores, elapsedMs } = meter.finish()
  assert.ok((foreignCores ?? 0) * elapsedMs >= 280, `${foreignCores} cores for ${elapsedMs} ms`)
})

test('reads the resident memory of a process', { skip }, () => {
  assert.ok(residentBytes(process.pid) > 10e6)
  assert.equal(residentBytes(2 ** 30), 0)
})

async function burn() {
  const child = startChild({ command: [process.execPath, '-e', burner] })
  await child.nextLine(60_000)
  return child
}
