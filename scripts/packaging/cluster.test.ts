import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, test } from 'node:test'
import type { Deployment } from 'kubernetes-types/apps/v1.js'
import type { Container, PodSpec, Secret, Service } from 'kubernetes-types/core/v1.js'
import type { PodDisruptionBudget } from 'kubernetes-types/policy/v1.js'
import { parse } from 'yaml'
import { readConfig, tableRows } from '../../server/src/config.ts'
import { roles } from '../../server/src/node-options.ts'
import { repositoryRoot } from '../run-node.ts'
import { checkManifest } from './check-manifest.ts'

const read = (path: string) => readFileSync(resolve(repositoryRoot, path), 'utf8')
const manifest = <T>(name: string) => parse(read(`deploy/kubernetes/${name}.yaml`)) as T
const manifests = readdirSync(resolve(repositoryRoot, 'deploy/kubernetes'))
const deployments = ['deployment', 'dispatch']

/** What a stop may take: requests have the deadline, and then attempts have it again. */
const stopSecondsMax = (2 * defaults().shutdownDeadlineMs) / 1000

test('names no variable that is not an option', () => {
  const known = new Set<string>(tableRows().map(([, { variable }]) => variable))
  const files = manifests.map((name) => `deploy/kubernetes/${name}`)
  for (const path of ['compose.cluster.yaml', ...files]) {
    const named = [...read(path).matchAll(/\bCOUNTERSIGN_[A-Z_]+/g)].map(([name]) => name)
    assert.deepEqual(
      named.filter((name) => !known.has(name)),
      [],
      path,
    )
  }
})

describe('compose.cluster.yaml', () => {
  const { services } = parse(read('compose.cluster.yaml'))
  const single = parse(read('compose.yaml')).services.countersign
  const nodes = Object.keys(services).filter((name) => name.startsWith('node-'))

  test('runs three nodes, each closed as the one of compose.yaml is', () => {
    assert.equal(nodes.length, 3)
    const same = ['build', 'image', 'restart', 'init', 'stop_grace_period', 'read_only', 'cap_drop']
    const limits = ['security_opt', 'mem_limit', 'cpus', 'pids_limit', 'logging']
    for (const name of nodes) {
      for (const setting of [...same, ...limits]) {
        assert.deepEqual(services[name][setting], single[setting], `${name} ${setting}`)
      }
      assert.equal(services[name].ports, undefined, 'only the balancer is reached from outside')
      assert.equal(services[name].volumes, undefined, 'everything is in the database')
    }
  })

  test('opens one port, on loopback, and keeps the database', () => {
    const ports = Object.values<{ ports?: string[] }>(services).flatMap(
      ({ ports: all = [] }) => all,
    )
    assert.equal(ports.length, 1)
    assert.match(ports[0] ?? '', /^127\.0\.0\.1:/)
    assert.deepEqual(services.postgres.volumes, ['postgres:/var/lib/postgresql/data'])
    assert.ok('postgres' in parse(read('compose.cluster.yaml')).volumes)
    assert.doesNotMatch(read('compose.cluster.yaml'), /privileged: true|network_mode|docker\.sock/)
  })

  test('makes a configuration that a node takes, and does not start without its keys', () => {
    const { environment } = services['node-1']
    const given: Record<string, string> = {
      POSTGRES_PASSWORD: 'a1b2c3',
      COUNTERSIGN_ROOT_KEY: `csk_${'a'.repeat(32)}`,
      COUNTERSIGN_MASTER_KEYS: Buffer.alloc(32, 1).toString('base64'),
    }
    const asked = new Set<string>()
    const filled = Object.entries<string>(environment).map(([name, text]) => [
      name,
      text.replace(/\$\{(\w+):([?-])([^}]*)\}/g, (_, variable, sign, otherwise) => {
        if (sign === '?') asked.add(variable)
        return given[variable] ?? otherwise
      }),
    ])
    const result = readConfig(Object.fromEntries(filled))
    assert.ok(result.ok, JSON.stringify(result))
    assert.match(result.config.database, /^postgres:\/\/countersign:a1b2c3@postgres:5432\//)
    assert.deepEqual([...asked].sort(), Object.keys(given).sort())
    assert.equal(services.postgres.environment.POSTGRES_PASSWORD, `\${POSTGRES_PASSWORD:?}`)
  })

  test('takes images by a tag that says what they are', () => {
    for (const name of ['balancer', 'postgres']) {
      assert.match(services[name].image, /^[a-z]+:\d+(?:\.\d+)*$/)
    }
    assert.ok(Number(services.postgres.image.split(':')[1]) >= 15)
  })

  test('the balancer knows every node, and sends nothing twice that may have been taken', () => {
    const config = read('deploy/haproxy.cfg')
    const servers = [...config.matchAll(/^ +server (\S+) (\S+)$/gm)].map(([, name, at]) => [
      name,
      at,
    ])
    assert.deepEqual(
      servers,
      nodes.map((name) => [name, `${name}:${defaults().port}`]),
    )
    assert.match(config, /^ +option httpchk GET \/readyz$/m)
    assert.match(config, /^ +retry-on conn-failure$/m)
    assert.ok(services.balancer.volumes[0].startsWith('./deploy/haproxy.cfg:'))
  })
})

describe('deploy/kubernetes', () => {
  test('is what the schema of Kubernetes says', () => {
    assert.ok(manifests.length >= 5)
    for (const name of manifests) {
      assert.deepEqual(checkManifest(parse(read(`deploy/kubernetes/${name}`))), [], name)
    }
  })

  for (const name of deployments) {
    const { spec } = manifest<Deployment>(name)
    const pod = spec?.template.spec as PodSpec
    const container = pod.containers[0] as Container
    const variables = new Map(container.env?.map((variable) => [variable.name, variable]))

    test(`${name}.yaml may do little`, () => {
      assert.equal(pod.automountServiceAccountToken, false)
      assert.equal(pod.securityContext?.runAsNonRoot, true)
      assert.equal(pod.securityContext?.seccompProfile?.type, 'RuntimeDefault')
      assert.deepEqual(container.securityContext, {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
      assert.ok(container.resources?.limits?.memory)
      assert.ok(container.resources?.requests?.cpu)
    })

    test(`${name}.yaml replaces nodes one by one, and gives each time to stop`, () => {
      assert.deepEqual(spec?.strategy?.rollingUpdate, { maxUnavailable: 0, maxSurge: 1 })
      assert.ok((pod.terminationGracePeriodSeconds ?? 0) > stopSecondsMax + 5)
    })

    test(`${name}.yaml starts a node again when it hangs, not when the database is away`, () => {
      const { startupProbe, livenessProbe, readinessProbe } = container
      assert.equal(startupProbe?.httpGet?.path, '/healthz')
      assert.equal(livenessProbe?.httpGet?.path, '/healthz')
      assert.equal(readinessProbe?.httpGet?.path, '/readyz')
      const port = container.ports?.find(({ name: port }) => port === readinessProbe?.httpGet?.port)
      assert.equal(port?.containerPort, defaults().port)
    })

    test(`${name}.yaml has its secrets by reference, and an environment that a node takes`, () => {
      const example = manifest<Secret>('secret.example')
      const values: Record<string, string> = {
        'database-url': String(example.stringData?.['database-url']),
        'root-key': `csk_${'a'.repeat(32)}`,
        'master-keys': Buffer.alloc(32, 1).toString('base64'),
      }
      assert.deepEqual(Object.keys(example.stringData ?? {}), Object.keys(values))
      const environment = [...variables.values()].map(({ name: variable, value, valueFrom }) => {
        const reference = valueFrom?.secretKeyRef
        if (reference === undefined) return [variable, value]
        assert.equal(reference.name, example.metadata?.name)
        return [variable, values[reference.key]]
      })
      const result = readConfig(Object.fromEntries(environment))
      assert.ok(result.ok, JSON.stringify(result))
      for (const [, { variable, isSecret }] of tableRows()) {
        if (isSecret) assert.equal(variables.get(variable)?.value, undefined, variable)
      }
    })

    test(`${name}.yaml has no variables that Kubernetes makes of a Service's name`, () => {
      assert.equal(pod.enableServiceLinks, false)
    })
  }

  test('differ in what they do, not in how', () => {
    const [server, dispatch] = deployments.map((name) => manifest<Deployment>(name).spec)
    const settings = (spec: typeof server) => {
      const container = spec?.template.spec?.containers[0]
      const { image, resources, securityContext, livenessProbe, readinessProbe } = container ?? {}
      return { image, resources, securityContext, livenessProbe, readinessProbe }
    }
    assert.deepEqual(settings(dispatch), settings(server))
    const rolesOf = (spec: typeof server) =>
      spec?.template.spec?.containers[0]?.env?.find(({ name }) => name === 'COUNTERSIGN_ROLES')
        ?.value
    assert.equal(rolesOf(server), roles.join(','))
    assert.equal(rolesOf(dispatch), 'dispatch')
  })

  test('run the version of this checkout', () => {
    const { version } = JSON.parse(read('server/package.json'))
    for (const name of deployments) {
      const image = manifest<Deployment>(name).spec?.template.spec?.containers[0]?.image
      assert.equal(image, `countersign:${version}`)
    }
  })

  test('the Service reaches the nodes that answer, and a drain takes one of all', () => {
    const service = manifest<Service>('service')
    const budget = manifest<PodDisruptionBudget>('pod-disruption-budget')
    const labels = (name: string) =>
      manifest<Deployment>(name).spec?.template.metadata?.labels ?? {}
    const fits = (selector: Record<string, string> = {}, name: string) =>
      Object.entries(selector).every(([label, value]) => labels(name)[label] === value)
    assert.ok(fits(service.spec?.selector, 'deployment'))
    assert.ok(!fits(service.spec?.selector, 'dispatch'), 'those do not answer the API')
    for (const name of deployments) {
      const { spec } = manifest<Deployment>(name)
      assert.deepEqual(spec?.selector.matchLabels, labels(name))
      assert.ok(fits(budget.spec?.selector?.matchLabels, name))
    }
    assert.equal(service.spec?.ports?.[0]?.targetPort, 'http')
    assert.equal(budget.spec?.maxUnavailable, 1)
  })
})

function defaults() {
  const result = readConfig({})
  assert.ok(result.ok)
  return result.config
}
