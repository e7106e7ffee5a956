/** The bounds of the HTTP surface itself; those of the product are in `core/limits.ts`. */
export const apiLimits = {
  /** A client that has not sent a whole request by then is cut off. */
  requestTimeoutMs: 60_000,
  /** The same for the request line and headers, which no honest client sends slowly. */
  headersTimeoutMs: 15_000,
  /** How often the two are looked at. */
  timeoutsCheckedEveryMs: 1_000,
  /** Connections at once; beyond that, idle ones are closed and new ones are not taken. */
  connectionsMax: 8_192,
  /** Requests that begin in one turn of the event loop: a turn is to take some milliseconds only. */
  requestsPerTurnMax: 128,
  /** Request bodies under way, in all and of one project: two of the largest. */
  bodiesBytesMax: 128 * 1024 * 1024,
  bodiesBytesPerProjectMax: 32 * 1024 * 1024,
  /**
   * How much of a body that is too large is still read, and for how long, before its refusal goes
   * out: a client that is cut off while it sends sees a broken connection instead of the answer.
   */
  discardedBytesMax: 64 * 1024 * 1024,
  discardedForMs: 5_000,
  /** Longer than the idle time of usual proxies, so that it is they who close first. */
  keepAliveTimeoutMs: 75_000,
  /** A uid of 128 characters, each percent-encoded, and room to spare. */
  pathSegmentLengthMax: 512,
  /** Field errors in one answer: enough to see what is wrong, too few to flood a log. */
  fieldErrorsMax: 100,
  /** How much of a name from a request is quoted back. */
  quotedNameLengthMax: 64,
  /** API keys and project references kept in memory; the oldest go first. */
  cachedKeysMax: 10_000,
  cachedProjectRefsMax: 10_000,
  /** How often the use of one key is written down, and how long uses are gathered first. */
  keyUseWrittenEveryMs: 60_000,
  keyUseGatheredMs: 1_000,
  /** Failed authentications of one address: at once, and in the long run; addresses remembered. */
  failedAttemptsBurst: 500,
  failedAttemptsPerSecond: 10,
  failedAddressesMax: 10_000,
  /** Reads of public keys by one address: at once, and in the long run; addresses remembered. */
  keySetReadsBurst: 300,
  keySetReadsPerSecond: 10,
  limitedAddressesMax: 10_000,
  searchLengthMax: 200,
  /** What a client is told to wait when the write queue is full. */
  overloadedRetryAfterSeconds: 1,
  /** Uses of claim links by one address: at once, and how fast they come back. */
  claimsBurst: 20,
  claimsPerSecond: 0.2,
  unavailableRetryAfterSeconds: 5,
  /** Streams at once: of one key, and of one project. */
  streamsPerKeyMax: 10,
  streamsPerProjectMax: 100,
  /** How often a stream looks for news without being woken, and at most. */
  streamPollMs: 1_000,
  streamPollMinMs: 100,
  /** The longest that a look into a store that answered slowly puts off the next one. */
  streamRestMsMax: 5_000,
  /** After this long without news a stream says that it is still there. */
  streamSilenceMs: 15_000,
  /** How often it is looked whether the caller may still read. */
  streamAuthorityMs: 30_000,
  /** What a client is told to wait before it connects again. */
  streamRetryMs: 1_000,
  /** Static files of the console, all of which are kept in memory. */
  consoleFilesMax: 1_000,
  consoleBytesMax: 64 * 1024 * 1024,
} as const
