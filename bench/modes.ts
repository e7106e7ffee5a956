/** How much one kind of run measures. All times in milliseconds; every load has two bounds. */
export interface Mode {
  name: 'full' | 'quick' | 'smoke' | 'shapes' | 'neighbours' | 'start' | 'claims' | 'history'
  rounds: number
  /** Counted from the start: after this no further round begins, and nothing is repeated. */
  repeatMsMax: number
  /** Runs of one measurement while others use the machine; the quietest is then taken, flagged. */
  attemptsMax: number
  /** How long to wait for a quiet machine before a run. */
  quietWaitMsMax: number
  warmUpMs: number
  ceilingMs: number
  /** Events before a throughput run, on the same process, that do not count. */
  warmUpEvents: number
  /** Events of one throughput run. */
  events: number
  loadMsMax: number
  drainMsMax: number
  /** Paced events for the latency figures; 0 leaves them out, as below. */
  latencyEvents: number
  /** Deliveries that wait for the dead endpoint. */
  deadPending: number
  memoryEvents: number
  memoryLoadMsMax: number
  idleMs: number
  /** Finished deliveries in the store, and what lies due at a start; 0 in the other modes. */
  historyCount: number
  claimCount: number
}

export const modes: Record<Mode['name'], Mode> = {
  full: {
    name: 'full',
    rounds: 5,
    repeatMsMax: 30 * 60_000,
    attemptsMax: 3,
    quietWaitMsMax: 30_000,
    warmUpMs: 2_000,
    ceilingMs: 5_000,
    warmUpEvents: 30_000,
    events: 150_000,
    loadMsMax: 15_000,
    drainMsMax: 60_000,
    latencyEvents: 10_000,
    deadPending: 20_000,
    memoryEvents: 1_000_000,
    memoryLoadMsMax: 120_000,
    idleMs: 10_000,
    historyCount: 0,
    claimCount: 0,
  },
  quick: {
    name: 'quick',
    rounds: 3,
    repeatMsMax: 90_000,
    attemptsMax: 3,
    quietWaitMsMax: 5_000,
    warmUpMs: 1_000,
    ceilingMs: 3_000,
    warmUpEvents: 20_000,
    events: 50_000,
    loadMsMax: 5_000,
    drainMsMax: 30_000,
    latencyEvents: 1_000,
    deadPending: 2_000,
    memoryEvents: 100_000,
    memoryLoadMsMax: 12_000,
    idleMs: 10_000,
    historyCount: 0,
    claimCount: 0,
  },
  smoke: {
    name: 'smoke',
    rounds: 2,
    repeatMsMax: 20_000,
    attemptsMax: 2,
    quietWaitMsMax: 1_000,
    warmUpMs: 700,
    ceilingMs: 2_000,
    warmUpEvents: 15_000,
    events: 20_000,
    loadMsMax: 4_000,
    drainMsMax: 15_000,
    latencyEvents: 0,
    deadPending: 0,
    memoryEvents: 0,
    memoryLoadMsMax: 0,
    idleMs: 0,
    historyCount: 0,
    claimCount: 0,
  },
  shapes: {
    name: 'shapes',
    rounds: 5,
    repeatMsMax: 15 * 60_000,
    attemptsMax: 2,
    quietWaitMsMax: 5_000,
    warmUpMs: 1_000,
    ceilingMs: 3_000,
    warmUpEvents: 20_000,
    events: 60_000,
    loadMsMax: 20_000,
    drainMsMax: 60_000,
    latencyEvents: 0,
    deadPending: 0,
    memoryEvents: 0,
    memoryLoadMsMax: 0,
    idleMs: 0,
    historyCount: 0,
    claimCount: 0,
  },
  neighbours: {
    name: 'neighbours',
    rounds: 5,
    repeatMsMax: 20 * 60_000,
    attemptsMax: 2,
    quietWaitMsMax: 5_000,
    warmUpMs: 1_000,
    ceilingMs: 0,
    warmUpEvents: 0,
    events: 20_000,
    loadMsMax: 20_000,
    drainMsMax: 60_000,
    latencyEvents: 0,
    deadPending: 20_000,
    memoryEvents: 0,
    memoryLoadMsMax: 0,
    idleMs: 0,
    historyCount: 0,
    claimCount: 0,
  },
  start: {
    name: 'start',
    rounds: 5,
    repeatMsMax: 5 * 60_000,
    attemptsMax: 2,
    quietWaitMsMax: 5_000,
    warmUpMs: 1_000,
    ceilingMs: 0,
    warmUpEvents: 0,
    events: 0,
    loadMsMax: 20_000,
    drainMsMax: 60_000,
    latencyEvents: 0,
    deadPending: 0,
    memoryEvents: 0,
    memoryLoadMsMax: 0,
    idleMs: 0,
    historyCount: 1_000_000,
    claimCount: 0,
  },
  claims: {
    name: 'claims',
    rounds: 5,
    repeatMsMax: 45 * 60_000,
    attemptsMax: 3,
    quietWaitMsMax: 5_000,
    warmUpMs: 0,
    ceilingMs: 0,
    warmUpEvents: 0,
    events: 0,
    loadMsMax: 0,
    drainMsMax: 0,
    latencyEvents: 0,
    deadPending: 0,
    memoryEvents: 0,
    memoryLoadMsMax: 0,
    idleMs: 0,
    historyCount: 10_000_000,
    claimCount: 1_000_000,
  },
  history: {
    name: 'history',
    rounds: 5,
    repeatMsMax: 30 * 60_000,
    attemptsMax: 1,
    quietWaitMsMax: 0,
    warmUpMs: 1_000,
    ceilingMs: 0,
    warmUpEvents: 5_000,
    events: 30_000,
    loadMsMax: 20_000,
    drainMsMax: 120_000,
    latencyEvents: 0,
    deadPending: 10_000,
    memoryEvents: 0,
    memoryLoadMsMax: 0,
    idleMs: 0,
    historyCount: 1_000_000,
    claimCount: 10_000,
  },
}
