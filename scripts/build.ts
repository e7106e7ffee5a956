/** Compiles the SDK and the server for publishing, and puts beside them what is not TypeScript. */
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { nameCompiledEntries } from './build/name-compiled-entries.ts'
import { publishedManifest } from './build/published-manifest.ts'
import { repositoryRoot, runNode } from './run-node.ts'

/** In this order: the server is compiled against the built SDK. */
const workspaces = ['sdk', 'server']

async function build(): Promise<boolean> {
  for (const workspace of workspaces) {
    rmSync(resolve(repositoryRoot, workspace, 'dist'), { recursive: true, force: true })
    const compiler = ['node_modules/typescript/bin/tsc', '-p', `${workspace}/tsconfig.build.json`]
    const { hasSucceeded } = await runNode(compiler, { isShown: true })
    if (!hasSucceeded) {
      console.log(`✖ ${workspace} does not compile`)
      return false
    }
    const compiled = correctEntries(`${workspace}/dist`)
    writeManifest(workspace)
    console.log(`✔ ${workspace}/dist: ${compiled} modules`)
  }
  const statements = copy('server/src', 'storage/**/migrations/*.sql', 'server/dist')
  console.log(`✔ server/dist: ${statements} migrations`)
  // Built by `npm ci`.
  const pages = copy('console/dist', '**/*', 'server/dist/console')
  console.log(`${pages > 0 ? '✔' : '✖'} server/dist/console: ${pages} files`)
  return pages > 0
}

/** Returns how many modules there are. */
function correctEntries(folder: string): number {
  const modules = globSync(`${folder}/**/*.js`, { cwd: repositoryRoot })
  for (const path of modules) {
    const file = resolve(repositoryRoot, path)
    const code = readFileSync(file, 'utf8')
    const corrected = nameCompiledEntries(code)
    if (corrected !== code) writeFileSync(file, corrected)
  }
  return modules.length
}

/** Makes the folder of the compiled files a package of its own: the one to pack and publish. */
function writeManifest(workspace: string): void {
  const manifest = readFileSync(resolve(repositoryRoot, workspace, 'package.json'), 'utf8')
  const published = JSON.stringify(publishedManifest(JSON.parse(manifest)), null, 2)
  writeFileSync(resolve(repositoryRoot, workspace, 'dist/package.json'), `${published}\n`)
  cpSync(resolve(repositoryRoot, 'LICENSE'), resolve(repositoryRoot, workspace, 'dist/LICENSE'))
}

/** Copies the files that match, with their folders, and returns how many there were. */
function copy(from: string, pattern: string, to: string): number {
  const source = resolve(repositoryRoot, from)
  const files = globSync(pattern, { cwd: source, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  )
  for (const { parentPath, name } of files) {
    const path = resolve(parentPath, name)
    const target = resolve(repositoryRoot, to, path.slice(source.length + 1))
    mkdirSync(dirname(target), { recursive: true })
    cpSync(path, target)
  }
  return files.length
}

process.exitCode = (await build()) ? 0 : 1
