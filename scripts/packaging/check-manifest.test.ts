import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkManifest } from './check-manifest.ts'

const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'x' },
  spec: { ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
}

test('finds nothing wrong with a sound manifest', () => {
  assert.deepEqual(checkManifest(service), [])
})

test('finds what the schema does not know, lacks or has otherwise', () => {
  const [port] = service.spec.ports
  const mistakes: [manifest: object, said: RegExp][] = [
    [{ ...service, kind: 'Serviec' }, /of no kind that is known/],
    [{ ...service, spec: { ports: [{ ...port, tragetPort: 1 }] } }, /tragetPort/],
    [{ ...service, spec: { ports: [{ name: 'http' }] } }, /'port' is missing/],
    [{ ...service, spec: { ports: [{ ...port, port: '80' }] } }, /'string' is not assignable/],
    [{ ...service, spec: { ports: port } }, /ServicePort\[\]/],
  ]
  for (const [manifest, said] of mistakes) {
    assert.match(checkManifest(manifest).join('\n'), said)
  }
})
