import { type ExitCode, exitCodes } from './exit-codes.ts'

/** What of the process this needs. */
type OutputOwner = Pick<NodeJS.Process, 'stdout' | 'stderr' | 'emit'>

/**
 * From now on, a command that goes on until it is told to stop is told so when what it says cannot
 * be written any more. Any other one comes to its end: what it was asked for is not half done.
 */
export function guardOutput(owner: OutputOwner): {
  /** Waits until everything is written; then says what the process ends with. */
  finish(code: ExitCode): Promise<ExitCode>
} {
  const streams = [owner.stdout, owner.stderr]
  let hasFailed = false
  let isTold = false
  const say = (sentence: string) => owner.stderr.write(`${sentence}\n`)
  for (const stream of streams) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // A reader that has had enough, such as `head`, is nothing to speak of.
      if (error.code !== 'EPIPE') {
        hasFailed = true
        if (stream !== owner.stderr) say(`The output cannot be written: ${error.message}`)
      }
      // Once: a second time would end at once what is being stopped in good order.
      if (!isTold) owner.emit('SIGTERM', 'SIGTERM')
      isTold = true
    })
  }
  return {
    async finish(code) {
      for (const stream of streams) await flush(stream)
      return code === exitCodes.ok && hasFailed ? exitCodes.failure : code
    },
  }
}

/** Resolves also where it cannot be written: `error` has told that by then. */
function flush(stream: NodeJS.WritableStream): Promise<void> {
  return new Promise((resolve) => stream.write('', () => setImmediate(resolve)))
}
