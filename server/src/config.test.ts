import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { test } from 'node:test'
import {
  describeConfig,
  type Environment,
  flagOf,
  isColorRefused,
  type OptionName,
  readConfig,
  tableRows,
} from './config.ts'

const rootKey = `csk_${'r'.repeat(43)}`
const masterKey = Buffer.alloc(32, 7).toString('base64')

function read(environment: Environment) {
  const result = readConfig(environment)
  assert.ok(result.ok, result.ok ? '' : result.problems.join('\n'))
  return result.config
}

function problemsOf(environment: Environment): string[] {
  const result = readConfig(environment)
  assert.ok(!result.ok, 'the configuration is refused')
  return result.problems
}

test('an empty environment gives the defaults of the published contract', () => {
  assert.deepEqual(read({}), {
    host: '127.0.0.1',
    port: 8080,
    dataDir: resolve('data'),
    database: 'sqlite',
    roles: ['api', 'dispatch', 'console'],
    secretCacheTtlMs: 1_000,
    rootKeys: [],
    masterKeys: [],
    publicUrl: null,
    trustedProxies: [],
    corsOrigins: [],
    metricsHost: '127.0.0.1',
    metricsPort: null,
    logLevel: 'info',
    shutdownDeadlineMs: 20_000,
    allowedNetworks: [],
    allowHttp: false,
    allowedPorts: [],
    retryScheduleMs: [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400].map(
      (seconds) => seconds * 1000,
    ),
    attemptTimeoutMs: 15_000,
    blockAfterMs: 5 * 86_400_000,
    concurrency: 256,
    dataBytesMax: 262_144,
    endpointsPerProjectMax: 1000,
    retentionDays: 90,
    dialects: ['mobilerun', 'composio', 'h-company', 'devtune', 'dinie'],
    rateLimitPerSecond: 200,
    rateLimitBurst: 400,
    expireCurrentInMinSeconds: 0,
    expireCurrentInMaxSeconds: 2_592_000,
    rotationCapMs: 30 * 86_400_000,
    secretMaxAgeDays: null,
    secretOverAgeAction: 'notify',
    secretExpireCurrentInSeconds: 86_400,
    secretCompleteWhen: 'expiry',
  })
})

test('every option is read from its variable', () => {
  const config = read({
    COUNTERSIGN_HOST: '::1',
    COUNTERSIGN_PORT: '0',
    COUNTERSIGN_DATA_DIR: '/srv/countersign',
    COUNTERSIGN_DATABASE_URL: 'postgres://me:word@db.internal/webhooks',
    COUNTERSIGN_ROLES: 'dispatch',
    COUNTERSIGN_SECRET_CACHE_TTL: '300ms',
    COUNTERSIGN_ROOT_KEY: `${rootKey}, csk_${'s'.repeat(32)}`,
    COUNTERSIGN_MASTER_KEYS: masterKey,
    COUNTERSIGN_PUBLIC_URL: 'https://hooks.example.com/countersign/',
    COUNTERSIGN_TRUSTED_PROXIES: '10.0.0.0/8',
    COUNTERSIGN_CORS_ORIGINS: 'https://a.example.com, http://localhost:5173',
    COUNTERSIGN_METRICS_HOST: '::1',
    COUNTERSIGN_METRICS_PORT: '9100',
    COUNTERSIGN_LOG_LEVEL: 'warn',
    COUNTERSIGN_SHUTDOWN_DEADLINE: '3s',
    COUNTERSIGN_ALLOWED_NETWORKS: '10.0.0.0/8, fd00::/8',
    COUNTERSIGN_ALLOW_HTTP: '1',
    COUNTERSIGN_ALLOWED_PORTS: '443, 8000-8100',
    COUNTERSIGN_RETRY_SCHEDULE: '100ms,2s',
    COUNTERSIGN_ATTEMPT_TIMEOUT: '250ms',
    COUNTERSIGN_BLOCK_AFTER: '1h',
    COUNTERSIGN_CONCURRENCY: '32',
    COUNTERSIGN_DATA_BYTES_MAX: '1048576',
    COUNTERSIGN_ENDPOINTS_PER_PROJECT_MAX: '5',
    COUNTERSIGN_RETENTION_DAYS: '7',
    COUNTERSIGN_DIALECTS: 'dinie, composio',
    COUNTERSIGN_RATE_LIMIT_PER_SECOND: '7',
    COUNTERSIGN_RATE_LIMIT_BURST: '9',
    COUNTERSIGN_EXPIRE_CURRENT_IN_MIN: '60',
    COUNTERSIGN_EXPIRE_CURRENT_IN_MAX: '3600',
    COUNTERSIGN_ROTATION_CAP: '48h',
    COUNTERSIGN_SECRET_MAX_AGE_DAYS: '90',
    COUNTERSIGN_SECRET_OVER_AGE_ACTION: 'rotate',
    COUNTERSIGN_SECRET_EXPIRE_CURRENT_IN: '7200',
    COUNTERSIGN_SECRET_COMPLETE_WHEN: 'verified',
  })
  assert.deepEqual(config, {
    host: '::1',
    port: 0,
    dataDir: '/srv/countersign',
    database: 'postgres://me:word@db.internal/webhooks',
    roles: ['dispatch'],
    secretCacheTtlMs: 300,
    rootKeys: [rootKey, `csk_${'s'.repeat(32)}`],
    masterKeys: [Buffer.alloc(32, 7)],
    publicUrl: 'https://hooks.example.com/countersign',
    trustedProxies: ['10.0.0.0/8'],
    corsOrigins: ['https://a.example.com', 'http://localhost:5173'],
    metricsHost: '::1',
    metricsPort: 9100,
    logLevel: 'warn',
    shutdownDeadlineMs: 3000,
    allowedNetworks: ['10.0.0.0/8', 'fd00::/8'],
    allowHttp: true,
    allowedPorts: [
      { from: 443, to: 443 },
      { from: 8000, to: 8100 },
    ],
    retryScheduleMs: [100, 2000],
    attemptTimeoutMs: 250,
    blockAfterMs: 3_600_000,
    concurrency: 32,
    dataBytesMax: 1_048_576,
    endpointsPerProjectMax: 5,
    retentionDays: 7,
    dialects: ['composio', 'dinie'],
    rateLimitPerSecond: 7,
    rateLimitBurst: 9,
    expireCurrentInMinSeconds: 60,
    expireCurrentInMaxSeconds: 3600,
    rotationCapMs: 48 * 3_600_000,
    secretMaxAgeDays: 90,
    secretOverAgeAction: 'rotate',
    secretExpireCurrentInSeconds: 7200,
    secretCompleteWhen: 'verified',
  })
})

const wrongTexts: Record<OptionName, readonly string[]> = {
  host: ['http://x', 'a b', '127.0.0.1:80', '-x'],
  port: ['-1', '65536', '80a', '8e3', '0x50', '1.5'],
  dataDir: ['a\0b'],
  database: ['postgresql://db', 'postgres:', 'mysql://db/x', 'db/x'],
  roles: ['apis', 'api;console'],
  secretCacheTtlMs: ['99ms', '61s', '1'],
  rootKeys: [
    'short',
    `csk_${'a'.repeat(31)}`,
    `${'a'.repeat(40)}`,
    `${rootKey},${rootKey},${rootKey}`,
    `${rootKey},`,
  ],
  masterKeys: [
    'x',
    Buffer.alloc(31).toString('base64'),
    Buffer.alloc(33).toString('base64'),
    `${masterKey},`,
    masterKey.replace('=', ''),
    Buffer.alloc(32, 7).toString('hex'),
  ],
  publicUrl: [
    'hooks.example.com',
    'ftp://x',
    'https://u:p@x',
    'https://x/?a=1',
    'https://x/#a',
    'https://x?',
  ],
  metricsPort: ['off', '70000'],
  metricsHost: ['http://x', 'a b', '127.0.0.1:80', '-x'],
  logLevel: ['verbose', 'INFO'],
  shutdownDeadlineMs: ['20', '11m', '-1s'],
  allowedNetworks: ['10.0.0.0', '10/8', '010.0.0.0/8', '10.0.0.0/33', 'fd00::/129', 'all'],
  allowHttp: ['yes', 'TRUE'],
  allowedPorts: ['0', '65536', '90-80', 'http', '1,,2'],
  retryScheduleMs: ['5', '5s,', '0ms', '31d', Array.from({ length: 51 }, () => '1s').join(',')],
  attemptTimeoutMs: ['15', '0s', '11m'],
  blockAfterMs: ['0s', '366d'],
  concurrency: ['0', '10001'],
  dataBytesMax: ['0', '1048577', '256KiB'],
  endpointsPerProjectMax: ['0'],
  trustedProxies: ['10.0.0.1', 'all', '10.0.0.0/33'],
  corsOrigins: ['*', 'null', 'a.example.com', 'https://a.example.com/', 'https://u@a.example.com'],
  retentionDays: ['0', '36501', '7d'],
  dialects: ['stripe', 'all,dinie', 'dinie,', 'Dinie', 'none,none'],
  rateLimitPerSecond: ['0', '-1', '1.5', '1000001'],
  rateLimitBurst: ['0', 'x'],
  expireCurrentInMinSeconds: ['-1', '2592001', '1h'],
  rotationCapMs: ['0s', '366d', '30'],
  expireCurrentInMaxSeconds: ['2592001'],
  secretMaxAgeDays: ['0', '3651', '90d'],
  secretOverAgeAction: ['ignore', 'Rotate'],
  secretExpireCurrentInSeconds: ['0', '2592001', '1h'],
  secretCompleteWhen: ['never', 'cap'],
}

for (const [name, option] of tableRows()) {
  test(`${option.variable} refuses what is not ${option.kind.expected.slice(0, 40)}…`, () => {
    for (const text of wrongTexts[name]) {
      const [problem = '', ...more] = problemsOf({ [option.variable]: text })
      assert.deepEqual(more, [], `${JSON.stringify(text)} is one mistake`)
      assert.ok(problem.startsWith(`${option.variable} `), problem)
      assert.ok(problem.endsWith('.'), problem)
    }
  })
}

test('all mistakes are told at once, in the order of the table', () => {
  const wrong = Object.fromEntries(
    tableRows().map(([name, { variable }]) => [variable, wrongTexts[name][0]]),
  )
  const named = problemsOf(wrong).map((problem) => problem.split(' ')[0])
  assert.deepEqual(
    named,
    tableRows().map(([, { variable }]) => variable),
  )
})

test('no message repeats a secret, nor the password of a URL in the wrong place', () => {
  const secrets = ['hunter2', `csk_${'q'.repeat(31)}!`, 'q83vEjRWeJCrze8SNFZ4kA==']
  const problems = problemsOf({
    COUNTERSIGN_DATABASE_URL: `mysql://admin:${secrets[0]}@db.internal/x`,
    COUNTERSIGN_ROOT_KEY: `${rootKey},${secrets[1]}`,
    COUNTERSIGN_MASTER_KEYS: `${masterKey},${secrets[2]}`,
    COUNTERSIGN_PUBLIC_URL: `https://admin:${secrets[0]}@example.com`,
    COUNTERSIGN_HOST: `postgres://admin:${secrets[0]}@db.internal/x`,
  })
  assert.equal(problems.length, 5)
  for (const secret of [...secrets, rootKey, masterKey]) {
    assert.ok(!problems.join('\n').includes(secret), `${secret} is not repeated`)
  }
})

test('with PostgreSQL, no node makes keys of its own', () => {
  const problems = problemsOf({ COUNTERSIGN_DATABASE_URL: 'postgres://db/x' })
  assert.equal(problems.length, 2)
  assert.match(problems[0] ?? '', /^COUNTERSIGN_MASTER_KEYS must be set with PostgreSQL/)
  assert.match(problems[1] ?? '', /^COUNTERSIGN_ROOT_KEY must be set with PostgreSQL/)
})

test('one process on a SQLite file has to do everything but show the console', () => {
  const [problem = ''] = problemsOf({ COUNTERSIGN_ROLES: 'console' })
  assert.match(problem, /leaves out api and dispatch/)
  assert.deepEqual(read({ COUNTERSIGN_ROLES: 'dispatch,api' }).roles, ['api', 'dispatch'])
})

test('of a database, neither user nor password is shown', () => {
  const config = read({
    COUNTERSIGN_DATABASE_URL: 'postgres://me:hunter2@db.internal:5433/webhooks?password=hunter3',
    COUNTERSIGN_ROOT_KEY: rootKey,
    COUNTERSIGN_MASTER_KEYS: masterKey,
  })
  const shown = describeConfig(config).COUNTERSIGN_DATABASE_URL
  assert.equal(shown, 'postgres://db.internal:5433/webhooks')
})

test('a very long value does not hide the other mistakes', () => {
  const [problem = ''] = problemsOf({ COUNTERSIGN_LOG_LEVEL: 'x'.repeat(10_000) })
  assert.ok(problem.length < 300, problem)
})

test('options that contradict each other are refused', () => {
  assert.deepEqual(
    problemsOf({
      COUNTERSIGN_EXPIRE_CURRENT_IN_MIN: '61',
      COUNTERSIGN_EXPIRE_CURRENT_IN_MAX: '60',
      COUNTERSIGN_ROTATION_CAP: '48h',
      COUNTERSIGN_PORT: '9100',
      COUNTERSIGN_METRICS_PORT: '9100',
      COUNTERSIGN_SECRET_OVER_AGE_ACTION: 'rotate',
    }),
    [
      'COUNTERSIGN_EXPIRE_CURRENT_IN_MIN (61) must not be above COUNTERSIGN_EXPIRE_CURRENT_IN_MAX (60).',
      'COUNTERSIGN_SECRET_OVER_AGE_ACTION is rotate, so COUNTERSIGN_PUBLIC_URL must be set: new secrets go by claim link.',
      'COUNTERSIGN_METRICS_PORT and COUNTERSIGN_PORT must differ (both are 9100).',
    ],
  )
})

test('an empty or blank variable counts as absent', () => {
  assert.deepEqual(read({ COUNTERSIGN_PORT: '', COUNTERSIGN_ROOT_KEY: '  ' }), read({}))
})

test('a flag goes before the environment, and that before the defaults of the command', () => {
  const environment = { COUNTERSIGN_PORT: '2', COUNTERSIGN_HOST: '::2' }
  const result = readConfig(environment, {
    flags: { port: '1' },
    defaults: { port: '3', host: '::3', allowHttp: 'true' },
  })
  assert.ok(result.ok)
  const { port, host, allowHttp } = result.config
  assert.deepEqual({ port, host, allowHttp }, { port: 1, host: '::2', allowHttp: true })
})

test('a mistake in a flag names the flag', () => {
  const result = readConfig({}, { flags: { dataBytesMax: 'lots' } })
  assert.ok(!result.ok)
  assert.match(result.problems[0] ?? '', /^--data-bytes-max must be .* \(it is "lots"\)\.$/)
})

test('a variable that is no option is warned about, with the option that was meant', () => {
  const result = readConfig({
    COUNTERSIGN_PROT: '80',
    COUNTERSIGN_MASTER_KEY: 'k',
    COUNTERSIGN_FAVOURITE_COLOUR_OF_THE_MOON: 'x',
    COUNTERSIGN_URL: 'http://127.0.0.1:8080',
    COUNTERSIGN_API_KEY: 'csk_x',
    PORT: '80',
  })
  assert.ok(result.ok)
  assert.deepEqual(result.warnings, [
    'COUNTERSIGN_FAVOURITE_COLOUR_OF_THE_MOON is not an option and is ignored. docs/configuration.md lists every option.',
    'COUNTERSIGN_MASTER_KEY is not an option and is ignored. Did you mean COUNTERSIGN_MASTER_KEYS?',
    'COUNTERSIGN_PROT is not an option and is ignored. Did you mean COUNTERSIGN_PORT?',
  ])
})

test('the description for the log has every option and no secret', () => {
  const described = describeConfig(
    read({ COUNTERSIGN_ROOT_KEY: rootKey, COUNTERSIGN_MASTER_KEYS: `${masterKey},${masterKey}` }),
  )
  assert.deepEqual(
    Object.keys(described),
    tableRows().map(([, { variable }]) => variable),
  )
  assert.equal(described.COUNTERSIGN_ROOT_KEY, '***')
  assert.equal(described.COUNTERSIGN_MASTER_KEYS, '***,***')
  assert.equal(described.COUNTERSIGN_PORT, '8080')
  assert.equal(described.COUNTERSIGN_RETRY_SCHEDULE, '5s,5m,30m,2h,5h,10h,14h,20h,1d')
  assert.equal(described.COUNTERSIGN_ALLOWED_NETWORKS, 'public addresses only')
})

test('what the description says is read back as the same value', () => {
  const config = read({ COUNTERSIGN_ALLOWED_PORTS: '1,2-3', COUNTERSIGN_PUBLIC_URL: 'https://x/y' })
  const described = describeConfig(config)
  const given = tableRows().filter(([name, option]) => config[name] !== option.absent?.value)
  const environment = Object.fromEntries(
    given.map(([, { variable }]) => [variable, described[variable]]),
  )
  assert.deepEqual(read(environment), config)
})

test('a flag is the variable in small letters, without the prefix', () => {
  assert.equal(flagOf({ variable: 'COUNTERSIGN_DATA_DIR' }), '--data-dir')
})

test('colours are refused by any NO_COLOR that is not empty', () => {
  assert.deepEqual(
    [{}, { NO_COLOR: '' }, { NO_COLOR: '1' }, { NO_COLOR: '0' }].map(isColorRefused),
    [false, false, true, true],
  )
})

test('all, none or some of the dialects can be served', () => {
  const dialectsOf = (text: string) => read({ COUNTERSIGN_DIALECTS: text }).dialects
  assert.equal(dialectsOf('all').length, 5)
  assert.deepEqual(dialectsOf('none'), [])
  assert.deepEqual(dialectsOf('h-company'), ['h-company'])
})
