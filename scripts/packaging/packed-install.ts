import { spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { repositoryRoot } from '../run-node.ts'

/** A directory into which the packed server and SDK were installed, without any network. */
export interface PackedInstall extends Disposable {
  /** The program that a user calls. */
  program: string
  /** Where commands run: far from the checkout. */
  directory: string
  /** Runs the program to its end. */
  run(args: readonly string[]): { status: number | null; stdout: string; stderr: string }
  /** Starts it; whoever calls ends it. */
  start(args: readonly string[]): ReturnType<typeof spawn>
}

const lifeMsMax = 60_000

/**
 * Packs what `npm run build` has made and puts it where npm would. The packages that both need are
 * those of the checkout: a registry is not asked.
 */
export function createPackedInstall(): PackedInstall {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-packed-'))
  const modules = join(directory, 'node_modules')
  linkPackages(modules)
  for (const workspace of ['sdk', 'server']) unpack(pack(workspace, directory), modules)
  const program = linkProgram(modules)
  const options = {
    cwd: directory,
    env: {
      PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
      COUNTERSIGN_DATA_DIR: join(directory, 'data'),
    },
    timeout: lifeMsMax,
  }
  return {
    program,
    directory,
    run: (args) => spawnSync(program, args, { ...options, encoding: 'utf8' }),
    start: (args) =>
      spawn(program, args, {
        ...options,
        killSignal: 'SIGKILL',
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  }
}

function linkPackages(modules: string): void {
  mkdirSync(modules)
  const installed = resolve(repositoryRoot, 'node_modules')
  for (const name of readdirSync(installed)) {
    const isOurs = name === 'countersign' || name === '@countersign'
    if (!isOurs && !name.startsWith('.')) symlinkSync(join(installed, name), join(modules, name))
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

function unpack(packed: string, modules: string): void {
  const unpacked = join(modules, '.unpacked')
  mkdirSync(unpacked)
  const { status, stderr } = spawnSync('tar', ['-xzf', packed, '-C', unpacked])
  if (status !== 0) throw new Error(`${packed} cannot be unpacked: ${stderr}`)
  const target = join(modules, readManifest(join(unpacked, 'package')).name)
  mkdirSync(dirname(target), { recursive: true })
  renameSync(join(unpacked, 'package'), target)
  rmSync(unpacked, { recursive: true })
}

/** As npm does it: a link to the file that `bin` names, which is made executable. */
function linkProgram(modules: string): string {
  const folder = join(modules, 'countersign')
  const entry = join(folder, readManifest(folder).bin?.countersign ?? '')
  const program = join(modules, '.bin', 'countersign')
  mkdirSync(dirname(program))
  chmodSync(entry, 0o755)
  symlinkSync(relative(dirname(program), entry), program)
  return program
}

function readManifest(folder: string): { name: string; bin?: Record<string, string> } {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
}
