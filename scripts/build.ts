/** Compiles the SDK and the server for publishing, and puts beside them what is not TypeScript. */
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, resolve } from 'node:path'
import { nameCompiledEntries } from './build/name-compiled-entries.ts'
import { repositoryRoot, runNode } from './run-node.ts'

/** In this order: the server is compiled against the built SDK. */
const workspaces = ['sdk', 'server']

/** What the console serves: its own build where it has one, else its sources that need none. */
const consoleFolders = [
  { folder: 'console/dist', pattern: '**/*' },
  { folder: 'console/src', pattern: '**/*.{html,css,js,json,svg,png,ico,woff2}' },
]

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
    console.log(`✔ ${workspace}/dist: ${compiled} modules`)
  }
  const statements = copy('server/src', 'storage/**/migrations/*.sql', 'server/dist')
  console.log(`✔ server/dist: ${statements} migrations`)
  const source = consoleFolders.find(({ folder }) => existsSync(resolve(repositoryRoot, folder)))
  const pages = source ? copy(source.folder, source.pattern, 'server/dist/console') : 0
  console.log(`✔ server/dist/console: ${pages} files`)
  return true
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
