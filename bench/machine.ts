import { execFile } from 'node:child_process'
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { availableParallelism, cpus, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { workDir } from './programs.ts'

/** Where and with what a benchmark ran: figures mean nothing without it. */
export interface Machine {
  cpuModel: string
  cores: number
  memoryGb: number
  system: string
  /** Synced writes of one 4 KB page a second: what a commit costs on this disk. */
  syncedWritesPerSecond: number
  commit: string
  versions: { node: string; undici: string; sqlite: string }
}

/** Needs the working folder of `preparePrograms`. */
export async function describeMachine(): Promise<Machine> {
  return {
    cpuModel: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    syncedWritesPerSecond: measureSyncedWrites(),
    commit: await readCommit(),
    versions: {
      node: process.versions.node,
      undici: await readUndiciVersion(),
      sqlite: process.versions.sqlite ?? 'unknown',
    },
  }
}

const syncProbeMs = 300

function measureSyncedWrites(): number {
  const path = join(workDir, `sync-probe-${process.pid}`)
  const file = openSync(path, 'w')
  const page = Buffer.alloc(4096)
  const startedAt = performance.now()
  let writes = 0
  while (performance.now() - startedAt < syncProbeMs) {
    writeSync(file, page, 0, page.length, 0)
    fdatasyncSync(file)
    writes += 1
  }
  closeSync(file)
  rmSync(path)
  return Math.round((writes * 1000) / (performance.now() - startedAt))
}

async function readCommit(): Promise<string> {
  const git = (...words: string[]) =>
    promisify(execFile)('git', words, { cwd: import.meta.dirname, timeout: 10_000 })
  try {
    const { stdout: commit } = await git('rev-parse', '--short', 'HEAD')
    const { stdout: changes } = await git('status', '--porcelain')
    return commit.trim() + (changes === '' ? '' : ' with changes')
  } catch {
    return 'unknown'
  }
}

async function readUndiciVersion(): Promise<string> {
  const path = fileURLToPath(import.meta.resolve('undici/package.json'))
  return (JSON.parse(await readFile(path, 'utf8')) as { version: string }).version
}
