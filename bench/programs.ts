import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** How to start the two loopback programs; both implementations take the same arguments. */
export interface Programs {
  implementation: 'c' | 'node'
  receiver: readonly string[]
  load: readonly string[]
}

/** Where compiled programs and the stores of the measured servers live; ignored by git. */
export const workDir = join(import.meta.dirname, '.work')

/**
 * Compiles receiver.c and load.c, the cheapest programs for the job: on two cores whatever they
 * burn is missing to the server. Without gcc, or without Linux's epoll, the `node:net` versions
 * stand in; the report then says so, for their figures are lower.
 */
export async function preparePrograms(options: { compiler?: string } = {}): Promise<Programs> {
  if (process.platform !== 'linux') return nodePrograms()
  await mkdir(workDir, { recursive: true })
  const compiler = options.compiler ?? 'gcc'
  try {
    const [receiver, load] = await Promise.all([
      compile(compiler, 'receiver'),
      compile(compiler, 'load'),
    ])
    return { implementation: 'c', receiver: [receiver], load: [load] }
  } catch (error) {
    // Only a missing compiler is expected; C that does not compile is a bug to be seen.
    if (isMissing(error)) return nodePrograms()
    throw error
  }
}

export function nodePrograms(): Programs {
  const run = (file: string) => [process.execPath, join(import.meta.dirname, file)]
  return { implementation: 'node', receiver: run('receiver.ts'), load: run('load.ts') }
}

async function compile(compiler: string, name: string): Promise<string> {
  const source = join(import.meta.dirname, `${name}.c`)
  // A name per process: two benchmarks or test files may compile at the same time.
  const program = join(workDir, `${name}-${process.pid}`)
  process.once('exit', () => rmSync(program, { force: true }))
  await promisify(execFile)(compiler, ['-O2', '-Wall', '-o', program, source], {
    timeout: 60_000,
  })
  return program
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
