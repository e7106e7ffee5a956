import assert from 'node:assert/strict'
import { dirname, join } from 'node:path'
import vm from 'node:vm'
import type { verifyWebhook } from '../src/verify-webhook.ts'
import { judgeVectors } from './judge-vectors.ts'
import { modulesOf } from './module-graph.ts'

/*
 * Runs the verifier where there is the language, Web Crypto, text encoding, base64 and `URL`, and nothing else: no Buffer, no process,
 * no timers. Needs `--experimental-vm-modules`.
 */

const context = vm.createContext({ crypto, TextEncoder, TextDecoder, URL, atob, btoa })
const modules = modulesOf('verify-webhook.ts')
const made = new Map<string, vm.SourceTextModule>()

function moduleAt(path: string): vm.SourceTextModule {
  const code = modules.get(path)
  assert.ok(code !== undefined, `${path} is none of ours`)
  const module = made.get(path) ?? new vm.SourceTextModule(code, { context, identifier: path })
  made.set(path, module)
  return module
}

const [path = ''] = modules.keys()
const entry = moduleAt(path)
await entry.link((specifier, from) => moduleAt(join(dirname(from.identifier), specifier)))
await entry.evaluate()
const verifier = entry.namespace as { verifyWebhook: typeof verifyWebhook }
console.log(JSON.stringify(await judgeVectors(verifier.verifyWebhook)))
