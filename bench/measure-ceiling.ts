import { join } from 'node:path'
import type { CeilingResult } from './ceiling.ts'
import { startChild } from './child.ts'
import { type CpuUse, startCpuMeter } from './cpu-meter.ts'
import { arrivalRate, lossOf } from './figures.ts'
import type { MeasuredRun } from './quiet-run.ts'
import type { Receiver } from './start-receiver.ts'

/** One run of the bare sender (ceiling.ts). */
export interface Ceiling extends MeasuredRun {
  /** Unique events a second at the receiver. */
  rate: number
  unique: number
  cpu: CpuUse
}

const slackMs = 20_000

/** Warms a bare sender up for `warmUpMs`, then measures it for `ms`. */
export async function measureCeiling(options: {
  receiver: Receiver
  connections: number
  warmUpMs: number
  ms: number
}): Promise<Ceiling> {
  const { receiver } = options
  await using sender = startChild({
    command: [
      process.execPath,
      join(import.meta.dirname, 'ceiling.ts'),
      ...['--port', String(receiver.port), '--connections', String(options.connections)],
      ...['--warm-up-ms', String(options.warmUpMs), '--ms', String(options.ms)],
    ],
  })
  await sender.nextLine(options.warmUpMs + slackMs)
  await receiver.reset()
  const meter = startCpuMeter({ sender: sender.pid, receiver: receiver.pid })
  sender.go()
  const { sent } = await sender.nextLine<CeilingResult>(options.ms + slackMs)
  const cpu = meter.finish()
  const arrivals = await receiver.stats()
  const lost = lossOf({ accepted: sent, unique: arrivals.unique })
  return {
    rate: arrivalRate(arrivals),
    unique: arrivals.unique,
    failure: lost > 0 ? `${lost} of ${sent} events did not arrive` : null,
    cpu,
  }
}
