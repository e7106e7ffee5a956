import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { childEnvironment } from './child-environment.ts'
import { until } from './until.ts'

/** A command of the command line in a process of its own, without a terminal. */
export interface RunningCommand extends AsyncDisposable {
  stdout(): string
  stderr(): string
  /** Waits until standard output holds `pattern`; fails when the process ends before. */
  prints(pattern: RegExp): Promise<RegExpExecArray>
  signal(name: NodeJS.Signals): void
  /** The exit code; null where a signal ended it. */
  exited: Promise<number | null>
}

const entry = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const lifeMsMax = 60_000

/** `countersign <args>`, with nothing of this process's environment but the path. */
export function startCommand(
  args: readonly string[],
  environment: Record<string, string> = {},
  /** Where it runs; that of this process where absent. */
  directory?: string,
): RunningCommand {
  const child = spawn(process.execPath, [entry, ...args], {
    env: { ...childEnvironment(), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: directory,
    // Whatever happens to a test, its process does not stay.
    timeout: lifeMsMax,
    killSignal: 'SIGKILL',
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  let isRunning = true
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      isRunning = false
      resolve(code)
    })
  })
  return {
    stdout: () => stdout,
    stderr: () => stderr,
    async prints(pattern) {
      await until(`countersign ${args.join(' ')} prints ${pattern}`, () => {
        if (pattern.test(stdout)) return true
        if (!isRunning) throw new Error(`It ended without printing ${pattern}:\n${stdout}${stderr}`)
        return false
      })
      const match = pattern.exec(stdout)
      if (match === null) throw new Error(`${pattern} must not be global.`)
      return match
    },
    signal: (name) => void child.kill(name),
    exited,
    async [Symbol.asyncDispose]() {
      if (isRunning) child.kill('SIGKILL')
      await exited
    },
  }
}

/** Runs a command to its end. */
export async function runCommand(
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  await using command = startCommand(args, environment)
  const code = await command.exited
  return { code, stdout: command.stdout(), stderr: command.stderr() }
}
