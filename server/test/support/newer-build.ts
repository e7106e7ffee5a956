import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A build of this server with one migration more for PostgreSQL, number 9999. */
export interface NewerBuild extends Disposable {
  /** What its process begins with. */
  entry: string
}

export function makeNewerBuild(migration: string): NewerBuild {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-newer-'))
  const own = fileURLToPath(new URL('../../', import.meta.url))
  const isProduct = (path: string) => !path.endsWith('.test.ts')
  cpSync(join(own, 'src'), join(directory, 'server/src'), { recursive: true, filter: isProduct })
  cpSync(join(own, 'package.json'), join(directory, 'server/package.json'))
  symlinkSync(join(own, '../node_modules'), join(directory, 'node_modules'))
  writeFileSync(
    join(directory, 'server/src/storage/postgres/migrations/9999-of-tomorrow.sql'),
    migration,
  )
  return {
    entry: join(directory, 'server/src/main.ts'),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true }),
  }
}
