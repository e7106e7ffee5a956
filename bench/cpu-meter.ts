import { readdirSync, readFileSync } from 'node:fs'

/** CPU used between the start and the end of a measurement. */
export interface CpuUse {
  elapsedMs: number
  /** Microseconds of CPU per named process, all threads and whatever descends from it; empty where there is no /proc. */
  usByProcess: Record<string, number>
  /**
   * Cores used by anything that is not part of the benchmark: other processes, and the host's other
   * guests ("steal"). Null where there is no /proc.
   */
  foreignCores: number | null
}

/** Above this a run says more about its neighbours than about the product, and is void. */
export const foreignCoresMax = 0.05

/**
 * Measures from now until `finish`. Our processes are the named ones, with what descends from them,
 * and the harness itself; those named only at the end must have begun in between and still be alive.
 *
 * Foreign load is summed over the other processes. The rest of the machine's busy time would be
 * shorter to compute, but holds the kernel's own threads (journal, write-back) and its wake-ups
 * from idle, which our load causes: together about 0.05 core under full load.
 */
export function startCpuMeter(processes: Record<string, number>) {
  const before = readMachine()
  const oursBefore = familiesOf(before, processes)

  return {
    finish(lateProcesses: Record<string, number> = {}): CpuUse {
      const after = readMachine()
      const elapsedMs = after.atMs - before.atMs
      if (after.processes.size === 0) return { elapsedMs, usByProcess: {}, foreignCores: null }
      const names = { ...processes, ...lateProcesses }
      const oursAfter = familiesOf(after, names)
      const usByProcess = Object.fromEntries(
        Object.keys(names).map((name) => [
          name,
          Math.max(0, familyUs(after, oursAfter[name]) - familyUs(before, oursBefore[name])),
        ]),
      )
      usByProcess.harness = ownUs(after, process.pid) - ownUs(before, process.pid)
      const ours = [oursBefore, oursAfter].flatMap((families) => Object.values(families).flat())
      const foreign = foreignUs(before, after, new Set([...ours, process.pid]))
      return { elapsedMs, usByProcess, foreignCores: foreign / (elapsedMs * 1000) }
    },
  }
}

/** Resident memory of a process in bytes; 0 when it is unknown. */
export function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readProc(`/proc/${pid}/status`) ?? '')?.[1]
  return Number(kilobytes ?? 0) * 1024
}

/** Linux tells times in ticks of 1/100 s to user space, whatever its own clock rate. */
const tickUs = 10_000
const kernelThreadFlag = 0x00200000

interface ProcessTimes {
  parentPid: number
  ownUs: number
  /** Of children that have ended and were waited for. */
  childrenUs: number
}

interface Machine {
  atMs: number
  stealUs: number
  /** All but the kernel's own threads, by pid; empty where there is no /proc. */
  processes: ReadonlyMap<number, ProcessTimes>
}

function readMachine(): Machine {
  const atMs = performance.now()
  const fields = readProc('/proc/stat')?.split('\n', 1)[0]?.split(/\s+/) ?? []
  const processes = new Map<number, ProcessTimes>()
  for (const name of fields.length > 0 ? readdirSync('/proc') : []) {
    const pid = Number(name)
    const times = Number.isInteger(pid) ? readProcess(pid) : null
    if (times) processes.set(pid, times)
  }
  return { atMs, stealUs: Number(fields[8] ?? 0) * tickUs, processes }
}

/** The times of one process, or null when it has ended or is a thread of the kernel. */
function readProcess(pid: number): ProcessTimes | null {
  const text = readProc(`/proc/${pid}/stat`)
  if (text === null) return null
  // The second field is the command in parentheses, which may itself hold spaces.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  if ((Number(fields[6]) & kernelThreadFlag) !== 0) return null
  const ticks = (index: number) => Number(fields[index]) * tickUs
  return {
    parentPid: Number(fields[1]),
    ownUs: ticks(11) + ticks(12),
    childrenUs: ticks(13) + ticks(14),
  }
}

function readProc(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

function ownUs(machine: Machine, pid: number): number {
  return machine.processes.get(pid)?.ownUs ?? 0
}

/** By name, the pids of each process and of all that descend from it. */
function familiesOf(
  machine: Machine,
  processes: Readonly<Record<string, number>>,
): Record<string, number[]> {
  const familyOf = (pid: number): number[] => {
    const children = [...machine.processes].filter(([, { parentPid }]) => parentPid === pid)
    return [pid, ...children.flatMap(([child]) => familyOf(child))]
  }
  return Object.fromEntries(Object.entries(processes).map(([name, pid]) => [name, familyOf(pid)]))
}

/** With what those used that have ended: their parents hold it. */
function familyUs(machine: Machine, pids: readonly number[] = []): number {
  return pids.reduce((sum, pid) => {
    const { ownUs = 0, childrenUs = 0 } = machine.processes.get(pid) ?? {}
    return sum + ownUs + childrenUs
  }, 0)
}

/**
 * A process that ends hands its time to its parent, so the sum of own and children's times catches
 * the short-lived ones as well. A parent that does not wait lets that sum shrink: hence the second
 * figure, of what still lives, as the least that was used.
 */
function foreignUs(before: Machine, after: Machine, ours: ReadonlySet<number>): number {
  let living = 0
  let all = 0
  for (const [pid, times] of after.processes) {
    if (ours.has(pid)) continue
    living += times.ownUs - ownUs(before, pid)
    all += times.ownUs + times.childrenUs
  }
  for (const [pid, times] of before.processes) {
    if (!ours.has(pid)) all -= times.ownUs + times.childrenUs
  }
  return Math.max(living, all) + after.stealUs - before.stealUs
}
