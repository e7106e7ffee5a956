import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { repositoryRoot } from '../run-node.ts'

/** An empty project into which the packed server and SDK were installed. */
export interface PackedInstall extends Disposable {
  /** Where commands run: far from the checkout. */
  directory: string
  /** Runs `npx countersign` to its end. */
  run(args: readonly string[]): { status: number | null; stdout: string; stderr: string }
  /** Starts the program that npm linked; whoever calls ends it. */
  start(args: readonly string[]): ReturnType<typeof spawn>
}

const lifeMsMax = 60_000
const installMsMax = 100_000

/**
 * Packs what `npm run build` has made and installs it with all that it depends on, from npm's cache
 * as far as that goes: whoever has installed this checkout has it all there. No package may run a
 * script, so nothing is compiled or fetched besides. A sentence where no registry can be reached
 * that has the rest.
 */
export function createPackedInstall(): PackedInstall | string {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-packed-'))
  const dispose = () => rmSync(directory, { recursive: true, force: true })
  writeFileSync(join(directory, 'package.json'), '{ "private": true }\n')
  const env = {
    ...process.env,
    PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
    COUNTERSIGN_DATA_DIR: join(directory, 'data'),
  }
  const options = { cwd: directory, env, timeout: lifeMsMax }
  const flags = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund']
  const packed = ['sdk', 'server'].map((workspace) => pack(workspace, directory))
  const installed = spawnSync('npm', ['install', ...flags, ...packed], {
    ...options,
    timeout: installMsMax,
    encoding: 'utf8',
  })
  if (installed.status !== 0) {
    dispose()
    const [unreachable] =
      /ENOTCACHED|ENOTFOUND|EAI_AGAIN|ECONN\w+|ETIMEDOUT/.exec(installed.stderr) ?? []
    if (unreachable === undefined) throw new Error(`npm install failed: ${installed.stderr}`)
    return `No registry has what npm's cache lacks: ${unreachable}.`
  }
  const program = join(directory, 'node_modules', '.bin', 'countersign')
  return {
    directory,
    run: (args) =>
      spawnSync('npx', ['--offline', 'countersign', ...args], { ...options, encoding: 'utf8' }),
    start: (args) =>
      spawn(program, args, {
        ...options,
        killSignal: 'SIGKILL',
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    [Symbol.dispose]: dispose,
  }
}

/** Packs a workspace that was built, and returns the packed file. */
export function pack(workspace: string, to: string): string {
  const folder = resolve(repositoryRoot, workspace, 'dist')
  const args = ['pack', '--json', '--offline', '--pack-destination', to]
  const { stdout, stderr, status } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8' })
  if (status !== 0) throw new Error(`npm pack of ${workspace} failed: ${stderr}`)
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }]
  return join(to, filename)
}
