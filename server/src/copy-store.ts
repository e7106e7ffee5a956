import { type SecretBox, SecretBoxError } from './core/secret-box.ts'
import { StorageOpenError } from './storage/storage.ts'
import type { CopiedRow, StoreSource, StoreTarget } from './storage/store-copy.ts'

/** What `copyStore` did. */
export interface StoreCopy {
  rows: number
  tables: number
  /** Sealed values that were read back from the target and opened. */
  opened: number
}

/** Of one write: few enough to hold in memory, whatever their payloads. */
const rowsPerWriteMax = 2_000
const bytesPerWriteMax = 4 * 1024 * 1024
/** Of each kind: secrets, header values, kept answers. */
const samplesMax = 200

/**
 * Copies everything, holds the target against the source, and only then makes it a store: as many
 * rows in each table, and sealed values that open where they lie now. Throws `StorageOpenError`, and
 * has then not committed.
 */
export async function copyStore(options: {
  source: StoreSource
  target: StoreTarget
  secretBox: Pick<SecretBox, 'open'>
  onRows: (done: number, total: number) => void
}): Promise<StoreCopy> {
  const { source, target, secretBox, onRows } = options
  const total = source.tables.reduce((sum, { rowCount }) => sum + rowCount, 0)
  let done = 0
  for (const { name } of source.tables) {
    for (const rows of inWrites(source.rows(name))) {
      await target.write(name, rows)
      done += rows.length
      onRows(done, total)
    }
  }
  await assertCounts(source, target)
  const opened = await assertOpens(target, secretBox)
  await target.commit()
  return { rows: total, tables: source.tables.length, opened }
}

function* inWrites(rows: Iterable<CopiedRow>): Generator<CopiedRow[]> {
  let held: CopiedRow[] = []
  let bytes = 0
  for (const row of rows) {
    held.push(row)
    bytes += bytesOf(row)
    if (held.length < rowsPerWriteMax && bytes < bytesPerWriteMax) continue
    yield held
    held = []
    bytes = 0
  }
  if (held.length > 0) yield held
}

/** About: characters count as bytes. */
function bytesOf(row: CopiedRow): number {
  let bytes = 0
  for (const value of Object.values(row)) {
    if (typeof value === 'string' || value instanceof Uint8Array) bytes += value.length
  }
  return bytes
}

async function assertCounts(source: StoreSource, target: StoreTarget): Promise<void> {
  for (const { name, rowCount } of source.tables) {
    const arrived = await target.countRows(name)
    if (arrived === rowCount) continue
    throw new StorageOpenError(
      `Of ${rowCount} rows in ${name}, ${arrived} are in the copy; it was given up, and the store is as it was.`,
    )
  }
}

async function assertOpens(
  target: StoreTarget,
  secretBox: Pick<SecretBox, 'open'>,
): Promise<number> {
  const samples = await target.sampleSealed(samplesMax)
  for (const { sealed, context } of samples) {
    try {
      secretBox.open(sealed, context)
    } catch (cause) {
      if (!(cause instanceof SecretBoxError)) throw cause
      throw new StorageOpenError(
        `A sealed value in the copy does not open (${context}); it was given up, and the store is as it was. ${cause.message}`,
        { cause },
      )
    }
  }
  return samples.length
}
