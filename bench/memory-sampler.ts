import { residentBytes } from './cpu-meter.ts'

const sampleEveryMs = 250
/** Two hours of samples; later ones are not kept. */
const samplesMax = 30_000

/** Samples the resident memory of a process until `finish`, which answers the samples in bytes. */
export function startMemorySampler(pid: number): { finish(): number[] } {
  const samples = [residentBytes(pid)]
  const timer = setInterval(() => {
    if (samples.length < samplesMax) samples.push(residentBytes(pid))
  }, sampleEveryMs)
  return {
    finish() {
      clearInterval(timer)
      samples.push(residentBytes(pid))
      return samples
    },
  }
}
