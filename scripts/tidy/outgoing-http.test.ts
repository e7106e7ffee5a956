import assert from 'node:assert/strict'
import { test } from 'node:test'
import { outgoingHttp } from './outgoing-http.ts'
import { createSourceTree } from './source-tree.ts'

function count(text: string, path = 'server/src/api/a.ts'): number {
  return outgoingHttp.check(createSourceTree({ [path]: text })).length
}

test('finds every way out', () => {
  for (const text of [
    'await fetch(url)',
    'await globalThis.fetch(url)',
    "import { Client } from 'undici'",
    "import { request } from 'node:http'",
    "import { request as send } from 'https'",
    "import http from 'node:http'\nhttp.request(url)",
    "import * as https from 'node:https'\nhttps.get(url)",
    "import net from 'node:net'\nnet.connect(port)",
    "import net from 'node:net'\nnew net.Socket()",
    "import { connect } from 'node:tls'",
    "import http2 from 'node:http2'\nhttp2.connect(url)",
  ]) {
    assert.equal(count(text), 1, text)
  }
})

test('leaves servers, types and injected functions alone', () => {
  assert.equal(count("import { createServer } from 'node:http'"), 0)
  assert.equal(count("import http from 'node:http'\nhttp.createServer()"), 0)
  assert.equal(count("import { isIP } from 'node:net'"), 0)
  assert.equal(count("import type { Dispatcher } from 'undici'"), 0)
  assert.equal(count("import { type Socket } from 'node:net'"), 0)
  assert.equal(count('options.fetch(url)'), 0)
})

test('allows the guarded doors, database sockets, tests, and the SDK', () => {
  assert.equal(count("import { connect } from 'node:tls'", 'server/src/dispatcher/dialer.ts'), 0)
  assert.equal(count("import { connect } from 'node:net'", 'server/src/storage/postgres/a.ts'), 0)
  assert.equal(count('fetch(url)', 'server/src/storage/postgres/a.ts'), 1)
  assert.equal(count('fetch(url)', 'server/src/api/a.test.ts'), 0)
  assert.equal(count('fetch(url)', 'sdk/src/a.ts'), 0)
})
