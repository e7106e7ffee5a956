import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/**
 * A child process that answers in lines of JSON and lives until its standard input closes. It
 * cannot outlive the harness: a dead harness closes the pipe, an exiting one kills it by its pid.
 */
export interface Child extends AsyncDisposable {
  pid: number
  /** The next line it prints, parsed. Rejects when it exits first or says nothing in time. */
  nextLine<T>(timeoutMs: number): Promise<T>
  /** Lets a child that waits for a line go on. */
  go(): void
  /** True once it has exited, whatever the reason. */
  hasExited(): boolean
  /** What it last wrote, for an error message. */
  lastWords(): string
  /** Closes its input and sends `signal`, waits for its exit, kills it by its pid after a bound. */
  stop(signal?: NodeJS.Signals): Promise<void>
}

/** Longer than the 20 s that a server gives its attempts in flight: it is to end by itself. */
const stopMsMax = 30_000
const lastWordsMax = 4_000

/** Starts `command` (the program, then its arguments) with exactly the environment given. */
export function startChild(options: {
  command: readonly string[]
  environment?: Record<string, string>
}): Child {
  const [program = '', ...programArguments] = options.command
  const child = spawn(program, programArguments, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, ...options.environment },
  })
  const lines = createLineQueue()
  let lastWords = ''
  let isRunning = true
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)

  const exited = new Promise<void>((resolve) => {
    const end = (reason: string) => {
      if (!isRunning) return
      isRunning = false
      process.removeListener('exit', kill)
      lines.fail(new Error(`${programArguments[0] ?? program} ${reason}\n${lastWords}`))
      resolve()
    }
    child.on('error', (error) => end(`did not start: ${error.message}`))
    child.on('close', (code, signal) => end(`ended with ${signal ?? code}`))
  })
  child.stdin.on('error', () => {})
  const remember = (text: string) => {
    lastWords = (lastWords + text).slice(-lastWordsMax)
  }
  child.stderr.setEncoding('utf8').on('data', remember)
  createInterface({ input: child.stdout }).on('line', (line) => {
    remember(`${line}\n`)
    lines.push(line)
  })

  async function stop(signal?: NodeJS.Signals): Promise<void> {
    if (!isRunning) return
    child.stdin.end()
    if (signal) child.kill(signal)
    const deadline = setTimeout(kill, stopMsMax)
    await exited
    clearTimeout(deadline)
  }

  return {
    pid: child.pid ?? -1,
    async nextLine<T>(timeoutMs: number) {
      return JSON.parse(await lines.next(timeoutMs)) as T
    },
    go: () => child.stdin.write('go\n'),
    hasExited: () => !isRunning,
    lastWords: () => lastWords,
    stop,
    [Symbol.asyncDispose]: () => stop(),
  }
}

/** Keeps a few lines only: a server may print as much as it likes to a harness that never asks. */
function createLineQueue() {
  const linesMax = 100
  const lines: string[] = []
  let waiting: { resolve(line: string): void; reject(error: Error): void } | null = null
  let failure: Error | null = null

  return {
    push(line: string): void {
      if (waiting) waiting.resolve(line)
      else if (lines.length < linesMax) lines.push(line)
      waiting = null
    },
    fail(error: Error): void {
      failure = error
      waiting?.reject(error)
      waiting = null
    },
    next(timeoutMs: number): Promise<string> {
      const line = lines.shift()
      if (line !== undefined) return Promise.resolve(line)
      if (failure) return Promise.reject(failure)
      return new Promise<string>((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting = null
          reject(new Error(`no line within ${timeoutMs} ms`))
        }, timeoutMs)
        const settle =
          <V>(how: (value: V) => void) =>
          (value: V) => {
            clearTimeout(timer)
            how(value)
          }
        waiting = { resolve: settle(resolve), reject: settle(reject) }
      })
    },
  }
}
