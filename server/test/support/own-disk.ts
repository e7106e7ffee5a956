import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, cpSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * A small disk of its own in a mount namespace, which a test can fill. It outlives the servers on
 * it, which are started by its `launcher`.
 */
export interface OwnDisk {
  /** As the servers see it. */
  path: string
  launcher: readonly string[]
  /** Leaves not one free block. */
  fill(): void
  /** Takes back what `fill` wrote. */
  free(): void
  /** What is on it, copied to a directory that this process can open databases in. */
  copy(): string
  dispose(): Promise<void>
}

/** Why there can be no such disk here; null where there can. */
export function whyNoOwnDisk(): string | null {
  const mounted = spawnSync('unshare', ['-Urm', 'mount', '-t', 'tmpfs', 'none', '/tmp'])
  if (mounted.error !== undefined) return 'unshare is not installed'
  return mounted.status === 0 ? null : 'this user may not mount a disk in a namespace of its own'
}

export async function createOwnDisk(options: {
  bytes: number
  /** Mounted so that nothing can be written to it. */
  isReadOnly?: boolean
}): Promise<OwnDisk> {
  const path = mkdtempSync(join(tmpdir(), 'countersign-disk-'))
  const flags = options.isReadOnly ? 'ro' : 'rw'
  const mount = `mount -t tmpfs -o ${flags},size=${options.bytes},mode=700 none "${path}"`
  const holder = spawn('unshare', ['-Urm', 'sh', '-c', `${mount} && echo ready && read _`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await once(holder.stdout, 'data')
  const seenFromHere = `/proc/${holder.pid}/root${path}`
  const copies: string[] = []
  const filler = join(seenFromHere, 'filler')
  return {
    path,
    launcher: ['nsenter', '-t', String(holder.pid), '-U', '-m', '--preserve-credentials', '--'],
    fill: () => fill(filler),
    free: () => rmSync(filler, { force: true }),
    copy() {
      const copy = mkdtempSync(join(tmpdir(), 'countersign-copy-'))
      copies.push(copy)
      cpSync(seenFromHere, copy, { recursive: true, filter: (file) => file !== filler })
      return copy
    },
    async dispose() {
      await end(holder)
      for (const copy of copies) rmSync(copy, { recursive: true, force: true })
      rmSync(path, { recursive: true, force: true })
    },
  }
}

function fill(file: string): void {
  const descriptor = openSync(file, 'w')
  try {
    // Large steps first, then what is left to the last block.
    for (const size of [1024 * 1024, 4096, 1]) {
      const block = Buffer.alloc(size)
      while (isWritten(descriptor, block));
    }
  } finally {
    closeSync(descriptor)
  }
}

function isWritten(descriptor: number, block: Uint8Array): boolean {
  try {
    return writeSync(descriptor, block) > 0
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return false
    throw error
  }
}

async function end(holder: ChildProcess): Promise<void> {
  if (holder.exitCode !== null) return
  holder.stdin?.end()
  await once(holder, 'exit')
}
