/**
 * "Who may import whom" of ARCHITECTURE.md as data. A file belongs to the first zone that matches
 * its path. Within one zone (and one capture: one adapter, one dialect) files import each other.
 */
export type Zone = {
  kind: string
  /** A capture tells siblings apart: they share a kind, yet may not import each other. */
  at: RegExp
  /** Kinds that may be imported. */
  may: readonly string[] | 'anything'
  /** Which modules that are not ours may be imported. */
  outside: 'anything' | 'pure modules' | 'nothing'
}

/** Everything but the adapters, which only app.ts names, and what is built on top. */
const knownToAppParts = [
  ...['core', 'formats', 'port', 'actions', 'dispatcher', 'api', 'routes', 'dialect-contract'],
  ...['dialect', 'config', 'clock', 'random', 'sdk'],
]

export const zones: readonly Zone[] = [
  zone('core', /^server\/src\/core\//, [], 'pure modules'),
  zone('formats', /^server\/src\/formats\//, ['core'], 'pure modules'),
  zone('port', /^server\/src\/storage\/[^/]+$/, ['core'], 'pure modules'),
  zone('adapter', /^server\/src\/storage\/([^/]+)\//, ['core', 'port']),
  zone('actions', /^server\/src\/actions\//, ['core', 'formats', 'port']),
  zone('dispatcher', /^server\/src\/dispatcher\//, ['core', 'formats', 'port']),
  zone('routes', /^server\/src\/api\/routes\//, ['core', 'actions', 'port', 'api']),
  zone('api', /^server\/src\/api\//, ['core', 'actions', 'port', 'routes']),
  zone('dialect-contract', /^server\/src\/dialects\/[^/]+$/, [
    ...['core', 'actions', 'port', 'api', 'dialect'],
  ]),
  zone('dialect', /^server\/src\/dialects\/([^/]+)\//, [
    ...['core', 'actions', 'port', 'api', 'dialect-contract'],
  ]),
  zone('cli', /^server\/src\/cli\//, [
    ...['app', 'config', 'core', 'formats', 'sdk', 'clock', 'random'],
  ]),
  zone('app', /^server\/src\/(?:app|store-tools)\.ts$/, 'anything'),
  zone('main', /^server\/src\/main\.ts$/, ['app', 'cli', 'app-part', ...knownToAppParts]),
  zone(
    'config',
    /^server\/src\/(?:config|option-kinds|node-options|secret-policy-options|start-error)\.ts$/,
    ['core'],
  ),
  zone('clock', /^server\/src\/clock\.ts$/, ['core']),
  zone('random', /^server\/src\/random\.ts$/, ['core']),
  zone('version', /^server\/src\/version\.ts$/, []),
  // What app.ts is composed of beside the folders: logger, metrics, key files and the like.
  zone('app-part', /^server\/src\/[^/]+$/, knownToAppParts),
  zone('sdk', /^sdk\//, [], 'nothing'),
  zone('console', /^console\//, ['sdk']),
  zone('tools', /^(?:(?:bench|scripts)\/.+|[^/]+)$/, 'anything'),
]

/** Known to everyone on the server: it holds one string. */
export const kindKnownToAll = 'version'

/** Single files that may import more than their zone, each with its reason. */
export const exceptions: readonly { from: RegExp; to: RegExp; reason: string }[] = [
  {
    from: /^server\/src\/dispatcher\/sender-thread\.ts$/,
    to: /^server\/src\/(?:clock|random)\.ts$/,
    reason: 'A thread has no composition root above it; its clock reads shared memory.',
  },
  {
    from: /^server\/src\/storage\/[^/]+\/[a-z0-9-]+-(?:thread|worker)\.ts$/,
    to: /^server\/src\/(?:clock|random)\.ts$/,
    reason: 'The entry of a thread builds its own clock and randomness.',
  },
  {
    from: /^(?:scripts\/test|bench\/[a-z-]+)\.ts$/,
    to: /^server\/test\/support\/postgres-server\.ts$/,
    reason: 'The test command and the benchmark start the PostgreSQL that servers of a run are on.',
  },
  {
    from: /^bench\/(?:measure-claims|claims-report)\.ts$/,
    to: /^server\/(?:src\/storage\/suite\/samples-suite|test\/support\/(?:claim-churn|postgres-nodes))\.ts$/,
    reason:
      'Claims are measured as the tests of the adapters make them, on storage without a server.',
  },
  {
    from: /^scripts\/dialects-page\.ts$/,
    to: /^server\/test\/dialects\/contracts?\.ts$/,
    reason: 'The page of the dialects is made from the facts that their tests hold.',
  },
  {
    from: /^server\/src\/(?:cli\/run-server|dispatcher\/sender-thread)\.ts$/,
    to: /^server\/src\/rest\.ts$/,
    reason: 'Each thread of a server watches over its own heap.',
  },
  {
    from: /^server\/src\/cli\//,
    to: /^server\/src\/logger\.ts$/,
    reason: 'A command decides where the log goes, as it decides on the clock.',
  },
]

/** Workspaces under the names by which other workspaces import them. */
export const workspaces: Readonly<Record<string, string>> = {
  '@countersign/sdk': 'sdk/src/index.ts',
  '@countersign/console': 'console/src/index.ts',
  countersign: 'server/src/main.ts',
}

/** Computation only: no I/O, no time, no randomness unless called for by a name that tidy knows. */
export const pureModules: ReadonlySet<string> = new Set([
  ...['node:assert', 'node:assert/strict', 'node:buffer', 'node:crypto', 'node:util'],
  ...['ajv', 'ipaddr.js', 'typebox'],
])

function zone(
  kind: string,
  at: RegExp,
  may: Zone['may'],
  outside: Zone['outside'] = 'anything',
): Zone {
  return { kind, at, may, outside }
}
