/** SIGTERM and SIGINT, as a server takes them. */
export interface StopSignals extends Disposable {
  /** Resolves at the first signal, even if that came before anyone asked. */
  readonly requested: Promise<void>
  /** Aborted at the first signal. */
  readonly signal: AbortSignal
}

/**
 * From now on the first SIGTERM or SIGINT asks for a stop, and the second calls `onSecond`.
 *
 * Under npm, one Ctrl-C reaches us twice: from the terminal, which signals every process in front
 * of it, and from npm, which passes it on. That echo is not a second signal.
 */
export function listenForStop(options: {
  onSecond: () => void
  monotonic: () => number
  isRunByNpm: boolean
  /** `process`, or an emitter of a test. */
  source: Pick<NodeJS.EventEmitter, 'on' | 'off'>
}): StopSignals {
  const { onSecond, monotonic, isRunByNpm, source } = options
  const stop = Promise.withResolvers<void>()
  const controller = new AbortController()
  let first: { name: string; at: number } | null = null

  const take = (name: string) => {
    if (first === null) {
      first = { name, at: monotonic() }
      controller.abort()
      stop.resolve()
      return
    }
    const isEcho = isRunByNpm && name === first.name && monotonic() - first.at < echoMs
    if (!isEcho) onSecond()
  }
  const listeners = (['SIGTERM', 'SIGINT'] as const).map((name) => ({
    name,
    listener: () => take(name),
  }))
  for (const { name, listener } of listeners) source.on(name, listener)
  return {
    requested: stop.promise,
    signal: controller.signal,
    [Symbol.dispose]() {
      for (const { name, listener } of listeners) source.off(name, listener)
    },
  }
}

/** npm passes a signal on within a few milliseconds; nobody presses Ctrl-C twice this fast. */
const echoMs = 250
