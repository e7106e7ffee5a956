import assert from 'node:assert/strict'
import { test } from 'node:test'
import { importTable } from './import-table.ts'
import { createSourceTree } from './source-tree.ts'

function messages(path: string, text: string): string[] {
  return importTable.check(createSourceTree({ [path]: text })).map(({ message }) => message)
}

function allows(path: string, ...specifiers: string[]): void {
  for (const specifier of specifiers) {
    assert.deepEqual(messages(path, `import { x } from '${specifier}'`), [], `${path} ${specifier}`)
  }
}

function refuses(path: string, ...specifiers: string[]): void {
  for (const specifier of specifiers) {
    const found = messages(path, `import { x } from '${specifier}'`)
    assert.equal(found.length, 1, `${path} may not import ${specifier}`)
  }
}

test('core imports core and pure modules, and nothing else', () => {
  allows('server/src/core/a.ts', './b.ts', 'node:crypto', 'node:assert/strict', '../version.ts')
  refuses('server/src/core/a.ts', '../actions/b.ts', '../storage/storage.ts', '../clock.ts')
  refuses('server/src/core/a.ts', 'node:fs', 'fs', 'node:timers/promises', 'undici', 'fastify')
})

test('formats import core and pure modules', () => {
  allows('server/src/formats/a.ts', './b.ts', '../core/b.ts', 'node:crypto')
  refuses('server/src/formats/a.ts', '../actions/b.ts', 'node:net', '@countersign/sdk')
})

test('adapters import core and the port, never each other', () => {
  allows('server/src/storage/storage.ts', '../core/b.ts')
  allows('server/src/storage/sqlite/a.ts', './b.ts', '../storage.ts', '../../core/b.ts', 'node:fs')
  refuses('server/src/storage/storage.ts', './sqlite/a.ts', '../formats/a.ts', 'node:sqlite')
  refuses('server/src/storage/sqlite/a.ts', '../postgres/a.ts', '../../clock.ts')
  allows('server/src/storage/sqlite/checkpoint-thread.ts', '../../clock.ts', '../../random.ts')
})

test('actions import core, formats and the port', () => {
  allows('server/src/actions/a.ts', './b.ts', '../core/b.ts', '../formats/b.ts')
  allows('server/src/actions/a.ts', '../storage/storage.ts')
  refuses('server/src/actions/a.ts', '../dispatcher/dispatcher.ts', '../storage/sqlite/a.ts')
  refuses('server/src/actions/a.ts', '../api/problem.ts', '../config.ts', '../random.ts')
})

test('the dispatcher imports core, formats and the port; its thread also the clock and randomness', () => {
  allows('server/src/dispatcher/a.ts', '../core/b.ts', '../formats/b.ts', '../storage/storage.ts')
  refuses('server/src/dispatcher/a.ts', '../actions/b.ts', '../clock.ts', '../config.ts')
  allows('server/src/dispatcher/sender-thread.ts', '../clock.ts', '../random.ts')
  refuses('server/src/dispatcher/sender-thread.ts', '../config.ts')
})

test('api and dialects import core, actions and the port', () => {
  allows('server/src/api/server.ts', './routes/b.ts', '../core/b.ts', '../actions/b.ts')
  allows('server/src/api/routes/a.ts', '../problem.ts', '../../storage/storage.ts')
  allows('server/src/dialects/dinie/a.ts', '../dialect.ts', '../../api/problem.ts')
  refuses('server/src/api/server.ts', '../formats/a.ts', '../dispatcher/a.ts', '../dialects/a.ts')
  refuses('server/src/dialects/dinie/a.ts', '../../formats/a.ts', '../../api/routes/events.ts')
})

test('no dialect imports another', () => {
  allows('server/src/dialects/dinie/a.ts', './b.ts', './parts/b.ts')
  refuses('server/src/dialects/dinie/a.ts', '../composio/a.ts')
})

test('the command line imports app, config, core, formats and the SDK', () => {
  allows('server/src/cli/a.ts', '../app.ts', '../config.ts', '@countersign/sdk', '../clock.ts')
  allows('server/src/cli/a.ts', '../core/errors.ts', '../version.ts', '../logger.ts', 'commander')
  refuses('server/src/cli/a.ts', '../metrics.ts')
  allows('server/src/cli/client/a.ts', '../../core/duration.ts', '../../formats/registry.ts')
  refuses('server/src/cli/a.ts', '../actions/b.ts', '../api/server.ts', '../storage/storage.ts')
})

test('only app.ts names an adapter', () => {
  allows('server/src/app.ts', './storage/sqlite/a.ts', './dispatcher/a.ts', '@countersign/sdk')
  allows('server/src/main.ts', './app.ts', './cli/serve.ts', './core/errors.ts')
  allows('server/src/metrics.ts', './dispatcher/a.ts', './storage/storage.ts', 'prom-client')
  refuses('server/src/main.ts', './storage/sqlite/a.ts')
  refuses('server/src/metrics.ts', './storage/sqlite/a.ts', './app.ts', './cli/serve.ts')
  refuses('server/src/core/a.ts', '../metrics.ts')
})

test('the SDK imports nothing, and the console only the SDK', () => {
  allows('sdk/src/a.ts', './b.ts')
  refuses('sdk/src/a.ts', 'node:crypto', 'undici', '../../server/src/core/a.ts')
  allows('console/src/a.ts', './b.ts', '@countersign/sdk', '../../sdk/src/index.ts')
  refuses('console/src/a.ts', '../../server/src/core/a.ts', '../../server/src/version.ts')
})

test('tests may import anything, and nobody imports a test', () => {
  allows('server/src/core/a.test.ts', '../actions/b.ts', 'node:fs')
  allows('server/src/storage/storage-suite.ts', './sqlite/a.ts')
  allows('server/test/a.ts', '../src/app.ts', '@countersign/sdk')
  refuses('server/src/actions/a.ts', './b.test.ts', '../storage/storage-suite.ts')
})

test('types, re-exports, dynamic imports and the entries of threads count as imports', () => {
  const path = 'server/src/core/a.ts'
  assert.equal(messages(path, "import type { X } from '../app.ts'").length, 1)
  assert.equal(messages(path, "export * from '../app.ts'").length, 1)
  assert.equal(messages(path, "const app = await import('../app.ts')").length, 1)
  assert.equal(messages(path, "let app: import('../app.ts').App").length, 1)
  assert.equal(messages(path, "new URL('../app.ts', import.meta.url)").length, 1)
})

test('a file outside every zone is told to move', () => {
  assert.match(messages('server/src/stray/a.ts', '')[0] ?? '', /outside the import table/)
})

test('a finding stands on the line of the import', () => {
  const text = "import { a } from './a.ts'\n\nimport { b } from '../app.ts'\n"
  const [finding] = importTable.check(createSourceTree({ 'server/src/core/c.ts': text }))
  assert.equal(finding?.line, 3)
})
