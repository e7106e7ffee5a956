import { setFlagsFromString } from 'node:v8'

/**
 * Where objects are born, for a process that serves. To be called before there is much code that
 * runs, and before its threads begin.
 *
 * Where V8 sees many objects of one line of code survive, it makes all later ones in the old
 * generation. Deliveries that wait for an endpoint in trouble teach it that for every delivery: then
 * each, and all that it refers to, is garbage only for the next full collection. Beside a dead
 * endpoint with a backlog, the sender thread kept a fifth of what it made for good, in place of a
 * thousandth (docs/decisions/0049-speed.md).
 */
export function tuneHeap(): void {
  for (const flag of heapFlags) setFlagsFromString(flag)
}

/** The second is for `restWhenIdle`. */
export const heapFlags = ['--no-allocation-site-pretenuring', '--expose-gc']
