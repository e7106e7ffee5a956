import assert from 'node:assert'
import { dialectNames } from './core/dialect.ts'
import { limits } from './core/limits.ts'
import { nearestWord } from './core/nearest-word.ts'
import { nodeContradictions, nodeOptions } from './node-options.ts'
import {
  directory,
  duration,
  durationList,
  hostName,
  masterKeyList,
  networkList,
  type OptionKind,
  oneOf,
  originList,
  orNull,
  portList,
  rootKeyList,
  someOf,
  trueOrFalse,
  webAddress,
  wholeNumber,
} from './option-kinds.ts'
import { secretPolicyOptions } from './secret-policy-options.ts'

/**
 * Every option of the operator. From this one table come reading, the masked start-up log, the
 * flags of `serve` and `dev`, and `docs/configuration.md`.
 */
export const options = {
  host: option({
    variable: 'COUNTERSIGN_HOST',
    kind: hostName,
    default: '127.0.0.1',
    sentence: 'Address to listen on; 0.0.0.0 or :: for every interface.',
  }),
  port: option({
    variable: 'COUNTERSIGN_PORT',
    kind: wholeNumber({ min: 0, max: 65_535 }),
    default: '8080',
    sentence: 'Port of the API and the console; 0 takes a free one.',
  }),
  dataDir: option({
    variable: 'COUNTERSIGN_DATA_DIR',
    kind: directory,
    default: './data',
    sentence:
      'Directory of the SQLite file and of the key files that the first start makes; created if missing.',
  }),
  ...nodeOptions,
  rootKeys: option({
    variable: 'COUNTERSIGN_ROOT_KEY',
    kind: rootKeyList,
    absent: { value: [], means: 'the key in the file `root-key`, made by the first start' },
    sentence: 'Key that may do everything; two while it is being rotated.',
    isSecret: true,
  }),
  masterKeys: option({
    variable: 'COUNTERSIGN_MASTER_KEYS',
    kind: masterKeyList,
    absent: { value: [], means: 'the key in the file `master-key`, made by the first start' },
    sentence:
      'Keys that encrypt secrets at rest: the first encrypts, all decrypt. Make one with `openssl rand -base64 32`.',
    isSecret: true,
  }),
  publicUrl: option({
    variable: 'COUNTERSIGN_PUBLIC_URL',
    kind: orNull(webAddress),
    absent: { value: null, means: 'links are relative' },
    sentence:
      'Where the outside world reaches this server; links are made from it, never from a Host header.',
  }),
  trustedProxies: option({
    variable: 'COUNTERSIGN_TRUSTED_PROXIES',
    kind: networkList,
    absent: { value: [], means: "none: the address of the connection is the caller's" },
    sentence:
      'Networks of proxies whose X-Forwarded-For is believed, for the addresses in the audit log and in limits.',
  }),
  corsOrigins: option({
    variable: 'COUNTERSIGN_CORS_ORIGINS',
    kind: originList,
    absent: { value: [], means: 'none' },
    sentence: 'Origins whose pages may call the API from a browser.',
  }),
  metricsPort: option({
    variable: 'COUNTERSIGN_METRICS_PORT',
    kind: orNull(wholeNumber({ min: 0, max: 65_535 })),
    absent: { value: null, means: 'closed; the main port answers to the root key' },
    sentence: 'Port on which /metrics needs no key.',
  }),
  metricsHost: option({
    variable: 'COUNTERSIGN_METRICS_HOST',
    kind: hostName,
    default: '127.0.0.1',
    sentence: 'Address to listen on for /metrics without a key.',
  }),
  logLevel: option({
    variable: 'COUNTERSIGN_LOG_LEVEL',
    kind: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    default: 'info',
    sentence: 'The least important kind of line that is logged.',
  }),
  shutdownDeadlineMs: option({
    variable: 'COUNTERSIGN_SHUTDOWN_DEADLINE',
    kind: duration({ min: '0s', max: '10m' }),
    default: '20s',
    sentence:
      'How long a stop waits for requests and attempts in flight: for requests half of it at most, then attempts are given back.',
  }),
  allowedNetworks: option({
    variable: 'COUNTERSIGN_ALLOWED_NETWORKS',
    kind: networkList,
    absent: { value: [], means: 'public addresses only' },
    sentence: 'Networks that deliveries may reach although they are not public.',
  }),
  allowHttp: option({
    variable: 'COUNTERSIGN_ALLOW_HTTP',
    kind: trueOrFalse,
    default: 'false',
    sentence: 'Whether deliveries may go to plain http URLs.',
  }),
  allowedPorts: option({
    variable: 'COUNTERSIGN_ALLOWED_PORTS',
    kind: portList,
    absent: { value: [], means: 'every port' },
    sentence: 'Ports that deliveries may go to.',
  }),
  retryScheduleMs: option({
    variable: 'COUNTERSIGN_RETRY_SCHEDULE',
    kind: durationList({ min: '1ms', max: '30d', countMax: 50 }),
    default: '5s,5m,30m,2h,5h,10h,14h,20h,24h',
    sentence: 'Delays after the first attempt, each drawn out by up to a fifth.',
  }),
  attemptTimeoutMs: option({
    variable: 'COUNTERSIGN_ATTEMPT_TIMEOUT',
    kind: duration({ min: '10ms', max: '10m' }),
    default: '15s',
    sentence: 'Longest time for one attempt, from the lookup of the name to the end of the answer.',
  }),
  blockAfterMs: option({
    variable: 'COUNTERSIGN_BLOCK_AFTER',
    kind: duration({ min: '1s', max: '365d' }),
    default: '5d',
    sentence: 'How long nothing may succeed before an endpoint is blocked.',
  }),
  concurrency: option({
    variable: 'COUNTERSIGN_CONCURRENCY',
    kind: wholeNumber({ min: 1, max: 10_000 }),
    default: '256',
    sentence: 'Attempts at a time; a quarter of the slots is kept for first attempts.',
  }),
  dataBytesMax: option({
    variable: 'COUNTERSIGN_DATA_BYTES_MAX',
    kind: wholeNumber({ min: 1, max: limits.dataBytesHardMax }),
    default: `${limits.dataBytesMax}`,
    sentence: "Largest `data` of an event, in bytes of the publisher's text.",
  }),
  endpointsPerProjectMax: option({
    variable: 'COUNTERSIGN_ENDPOINTS_PER_PROJECT_MAX',
    kind: wholeNumber({ min: 1, max: 1_000_000 }),
    default: `${limits.endpointsPerProjectMax}`,
    sentence: 'Most endpoints of one project.',
  }),
  retentionDays: option({
    variable: 'COUNTERSIGN_RETENTION_DAYS',
    kind: wholeNumber({ min: 1, max: 36_500 }),
    default: '90',
    sentence:
      'Days for which events, deliveries and attempts are kept, unless a project says otherwise; audit rows are kept for ever.',
  }),
  dialects: option({
    variable: 'COUNTERSIGN_DIALECTS',
    kind: someOf(dialectNames),
    default: 'all',
    sentence: 'The systems whose API is served beside the native one.',
  }),
  rateLimitPerSecond: option({
    variable: 'COUNTERSIGN_RATE_LIMIT_PER_SECOND',
    kind: wholeNumber({ min: 1, max: 1_000_000 }),
    default: `${limits.rateLimitPerSecond}`,
    sentence:
      'Requests a second that one API key may make in the long run; the root key may make any number.',
  }),
  rateLimitBurst: option({
    variable: 'COUNTERSIGN_RATE_LIMIT_BURST',
    kind: wholeNumber({ min: 1, max: 1_000_000 }),
    default: `${limits.rateLimitBurst}`,
    sentence: 'Requests that one API key may make at once.',
  }),
  expireCurrentInMinSeconds: option({
    variable: 'COUNTERSIGN_EXPIRE_CURRENT_IN_MIN',
    kind: wholeNumber({ min: 0, max: limits.expireCurrentInMaxSeconds }),
    default: '0',
    sentence: 'Least `expire_current_in` that a rotation may ask for, in seconds.',
  }),
  expireCurrentInMaxSeconds: option({
    variable: 'COUNTERSIGN_EXPIRE_CURRENT_IN_MAX',
    kind: wholeNumber({ min: 0, max: limits.expireCurrentInMaxSeconds }),
    default: `${limits.expireCurrentInMaxSeconds}`,
    sentence: 'Largest `expire_current_in` that a rotation may ask for, in seconds.',
  }),
  rotationCapMs: option({
    variable: 'COUNTERSIGN_ROTATION_CAP',
    kind: duration({ min: '1s', max: '365d' }),
    default: '30d',
    sentence:
      'Longest time for which a previous secret goes on signing while a rotation is held, or waits for proof or for a claim.',
  }),
  ...secretPolicyOptions,
}

export type OptionName = keyof typeof options

/** What the options came to. Times are in milliseconds where the name does not say otherwise. */
export type Config = {
  readonly [Name in OptionName]: (typeof options)[Name] extends Option<infer T> ? T : never
}

/** One option: a row of the table. */
export interface Option<T> {
  variable: `COUNTERSIGN_${string}`
  kind: OptionKind<T>
  /** For the operator: what it is for. */
  sentence: string
  /** As an operator would write it. */
  default?: string
  /** In place of a default: the value, and in words what it means. */
  absent?: { value: NoInfer<T>; means: string }
  /** Its text is never shown, and it has no flag: arguments are seen by every user of a machine. */
  isSecret?: boolean
}

export type Environment = Readonly<Record<string, string | undefined>>

/** Texts for options, by name: from flags, or a command's own defaults. */
export type OptionTexts = { readonly [Name in OptionName]?: string | undefined }

/** What `countersign dev` takes where neither a flag nor the environment says otherwise. */
export const devDefaults = {
  allowHttp: 'true',
  allowedNetworks: '127.0.0.0/8,::1/128',
} satisfies OptionTexts

export type ConfigResult =
  /** `warnings`: sentences about variables that are no option. */
  | { ok: true; config: Config; warnings: string[] }
  /** Every mistake, each a sentence for the operator without any secret. */
  | { ok: false; problems: string[] }

/** The environment of the process. Nothing else reads it, so that everything else can be given one. */
export function processEnvironment(): Environment {
  return process.env
}

/**
 * Reads every option: from the flags, else the environment, else the command's own defaults, else
 * the table. An empty text counts as absent.
 */
export function readConfig(
  environment: Environment,
  { flags = {}, defaults = {} }: { flags?: OptionTexts; defaults?: OptionTexts } = {},
): ConfigResult {
  const values: Record<string, unknown> = {}
  const problems: string[] = []
  for (const [name, option] of tableRows()) {
    const flag = flags[name]
    const text = [flag, environment[option.variable], defaults[name]].find(isPresent)
    const parsed = parseOption(option, text?.trim() ?? option.default)
    if (parsed.ok) {
      values[name] = parsed.value
      continue
    }
    const source = isPresent(flag) ? flagOf(option) : option.variable
    const seen = option.isSecret || text === undefined ? '' : ` (it is ${quote(text)})`
    problems.push(`${source} ${parsed.problem}${seen}.`)
  }
  // Every row of the table has been read into its own name.
  const config = values as Config
  if (problems.length === 0) problems.push(...contradictions(config))
  if (problems.length > 0) return { ok: false, problems }
  return { ok: true, config, warnings: unknownVariables(environment) }
}

/** What was read, by variable, as an operator would write it, with every secret masked. */
export function describeConfig(config: Config): Record<string, string> {
  return Object.fromEntries(
    tableRows().map(([name, option]) => {
      const value = config[name]
      const { absent } = option
      const isAbsent = absent !== undefined && value === absent.value
      return [option.variable, isAbsent ? absent.means : option.kind.write(value)]
    }),
  )
}

/** The rows of the table, for whoever goes over all of them. */
export function tableRows(): [OptionName, Option<unknown>][] {
  return Object.entries(options) as [OptionName, Option<unknown>][]
}

/** `COUNTERSIGN_DATA_DIR` → `--data-dir`. */
export function flagOf(option: Pick<Option<unknown>, 'variable'>): string {
  return `--${option.variable.replace(prefix, '').toLowerCase().replaceAll('_', '-')}`
}

/** True where the user asked every program not to use colours (no-color.org). */
export function isColorRefused(environment: Environment): boolean {
  return isPresent(environment.NO_COLOR)
}

/** False on terminals that cannot move the cursor. */
export function canRedraw(environment: Environment): boolean {
  return environment.TERM !== 'dumb'
}

/** True under `npm start` and `npm run`, which pass a Ctrl-C on that has reached us already. */
export function isRunByNpm(environment: Environment): boolean {
  return environment.npm_lifecycle_event !== undefined
}

const prefix = 'COUNTERSIGN_'

/** Variables with our prefix that the SDK and commands against a server read. */
const variablesOfOthers = [
  ...['COUNTERSIGN_URL', 'COUNTERSIGN_API_KEY', 'COUNTERSIGN_PROJECT', 'COUNTERSIGN_PROFILE'],
  'COUNTERSIGN_SECRET',
]

/** A value in a message is cut here, so that one long value cannot hide the other mistakes. */
const quotedLengthMax = 60

/** A row with its type: what the kind reads is what the option holds. */
function option<T>(row: Option<T>): Option<T> {
  return row
}

function isPresent(text: string | undefined): text is string {
  return text !== undefined && text.trim() !== ''
}

function parseOption(option: Option<unknown>, text: string | undefined) {
  if (text !== undefined) return option.kind.parse(text)
  assert(option.absent, `${option.variable} has a default or a meaning when it is absent`)
  return { ok: true, value: option.absent.value } as const
}

/** A URL in the wrong variable may hold a password. */
function quote(text: string): string {
  const shown = text.trim().replace(/\/\/[^/@]*@/, '//***@')
  return JSON.stringify(
    shown.length > quotedLengthMax ? `${shown.slice(0, quotedLengthMax)}…` : shown,
  )
}

/** Mistakes that no option makes by itself. */
function contradictions(config: Config): string[] {
  const problems = nodeContradictions(config)
  const { expireCurrentInMinSeconds: min, expireCurrentInMaxSeconds: max } = config
  if (min > max) {
    problems.push(
      `${options.expireCurrentInMinSeconds.variable} (${min}) must not be above ${options.expireCurrentInMaxSeconds.variable} (${max}).`,
    )
  }
  if (config.secretOverAgeAction === 'rotate' && config.publicUrl === null) {
    problems.push(
      `${options.secretOverAgeAction.variable} is rotate, so ${options.publicUrl.variable} must be set: new secrets go by claim link.`,
    )
  }
  if (config.metricsPort === config.port && config.port !== 0) {
    problems.push(
      `${options.metricsPort.variable} and ${options.port.variable} must differ (both are ${config.port}).`,
    )
  }
  return problems
}

function unknownVariables(environment: Environment): string[] {
  const known: string[] = [...tableRows().map(([, { variable }]) => variable), ...variablesOfOthers]
  return Object.keys(environment)
    .filter((name) => name.startsWith(prefix) && !known.includes(name))
    .sort()
    .map((name) => {
      const meant = nearestWord(name, known, prefix.length)
      const advice =
        meant === null ? 'docs/configuration.md lists every option.' : `Did you mean ${meant}?`
      return `${name} is not an option and is ignored. ${advice}`
    })
}
