import { readFileSync } from 'node:fs'

const pageBytes = 4096

/** What a process holds in memory; null where the system does not tell. */
export function residentBytes(pid: number | null): number | null {
  if (process.platform !== 'linux' || pid === null) return null
  const [, pages] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')
  return Number(pages) * pageBytes
}
