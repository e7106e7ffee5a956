import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { repositoryRoot } from '../run-node.ts'

/** A directory that holds what an image would, as far as that goes without a container engine. */
export interface ImageTrial extends AsyncDisposable {
  /** Runs the server with these arguments; it listens on `port`. */
  start(parameters: readonly string[]): void
  /** Runs a health check until it succeeds; false where it never does or the server has ended. */
  becomesHealthy(command: readonly string[]): Promise<boolean>
  isHealthy(command: readonly string[]): Promise<boolean>
  /** SIGTERM; the exit code of the server. */
  stop(): Promise<number | null>
  output(): string
}

const processLifeMsMax = 60_000
const lookAgainMs = 50

/**
 * Copies these files of the checkout and puts the checkout's packages beside them: a file that a
 * build would not take in is not there either.
 */
export async function createImageTrial(paths: readonly string[]): Promise<ImageTrial> {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-image-'))
  const app = join(directory, 'app')
  for (const path of paths) {
    mkdirSync(dirname(join(app, path)), { recursive: true })
    cpSync(join(repositoryRoot, path), join(app, path))
  }
  symlinkSync(join(repositoryRoot, 'node_modules'), join(app, 'node_modules'))
  const env = {
    PATH: process.env.PATH,
    COUNTERSIGN_PORT: String(await freePort()),
    COUNTERSIGN_DATA_DIR: join(directory, 'data'),
  }
  const run = ([program = '', ...parameters]: readonly string[], stdio: 'ignore' | 'pipe') =>
    spawn(program === 'node' ? process.execPath : program, parameters, {
      cwd: app,
      env,
      stdio: ['ignore', stdio, stdio],
      timeout: processLifeMsMax,
      killSignal: 'SIGKILL',
    })
  let server: ChildProcess | null = null
  let printed = ''
  const hasEnded = () => server === null || server.exitCode !== null || server.signalCode !== null
  const stop = async () => {
    server?.kill('SIGTERM')
    if (server !== null && !hasEnded()) await once(server, 'exit')
    return server?.exitCode ?? null
  }
  const isHealthy = async (command: readonly string[]) => {
    const [code] = await once(run(command, 'ignore'), 'exit')
    return code === 0
  }
  return {
    start(parameters) {
      server = run(['node', 'server/src/main.ts', ...parameters], 'pipe')
      for (const stream of [server.stdout, server.stderr]) {
        stream?.on('data', (chunk) => {
          printed += chunk
        })
      }
    },
    async becomesHealthy(command) {
      while (!hasEnded()) {
        if (await isHealthy(command)) return true
        await wait(lookAgainMs)
      }
      return false
    },
    isHealthy,
    stop,
    output: () => printed,
    async [Symbol.asyncDispose]() {
      await stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new Error('No port.')
  return address.port
}
