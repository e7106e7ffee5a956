import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from './config.ts'
import { createAddressGuard } from './dispatcher/address-guard.ts'
import type { StoreCondition } from './storage/storage.ts'

/** One thing that was looked at. */
export interface Finding {
  what: string
  level: 'ok' | 'warning' | 'problem'
  detail: string
  /** What to do; null where nothing is to be done. */
  fix: string | null
}

const freeBytesWarned = 1024 ** 3
const freeBytesNeeded = 100 * 1024 ** 2
/** A clock before this build was made is wrong. */
const clockFloor = Date.UTC(2026, 0, 1)
const futureToleratedMs = 60_000

export function inspectDirectory({ dataDir }: Config): Finding[] {
  const what = 'data directory'
  if (!existsSync(dataDir)) {
    return [warning(what, `${dataDir} does not exist yet.`, 'The first start makes it.')]
  }
  try {
    accessSync(dataDir, constants.R_OK | constants.W_OK)
  } catch {
    const fix =
      'Give it to the user that the server runs as, and check that the disk is mounted for writing.'
    return [problem(what, `${dataDir} cannot be written by this user.`, fix)]
  }
  const { bavail, bsize } = statfsSync(dataDir)
  const freeBytes = bavail * bsize
  const free = `${(freeBytes / 1024 ** 3).toFixed(1)} GB are free`
  if (freeBytes < freeBytesNeeded) {
    return [
      problem(what, `Only ${free} in ${dataDir}.`, 'Free some space, or shorten the retention.'),
    ]
  }
  if (freeBytes < freeBytesWarned) {
    return [
      warning(what, `Only ${free} in ${dataDir}.`, 'Free some space, or shorten the retention.'),
    ]
  }
  return [fine(what, `${dataDir} can be written; ${free}.`)]
}

export function inspectKeyFiles({ dataDir, masterKeys, rootKeys }: Config): Finding[] {
  const files = [
    ...(masterKeys.length > 0 ? [] : ['master-key']),
    ...(rootKeys.length > 0 ? [] : ['root-key']),
  ]
  return files.flatMap((name) => {
    const file = join(dataDir, name)
    if (!existsSync(file) || process.platform === 'win32') return []
    const mode = statSync(file).mode & 0o777
    if ((mode & 0o077) === 0) return [fine(name, `${file} can be read by its owner only.`)]
    const detail = `${file} can be read by others (mode ${mode.toString(8)}).`
    return [
      problem(
        name,
        detail,
        `Run chmod 600 ${file}, and change the key if someone may have read it.`,
      ),
    ]
  })
}

export function inspectStore(condition: StoreCondition, now: number): Finding[] {
  const what = 'store'
  if (condition.kind === 'absent') {
    return [warning(what, 'There is no database yet.', 'The first start makes it.')]
  }
  if (condition.kind === 'unusable') {
    return [
      problem(
        what,
        condition.problem,
        'Where the data itself is at fault, restore the newest backup; with SQLite, countersign restore <file>.',
      ),
    ]
  }
  const { version, knownVersion, newestEventAt } = condition
  const findings =
    version < knownVersion
      ? [
          warning(
            what,
            `Schema version ${version} of ${knownVersion}.`,
            'The next start migrates it; make a backup before.',
          ),
        ]
      : [fine(what, `Sound, with schema version ${version}.`)]
  return [...findings, ...clockFindings(now, newestEventAt)]
}

export function inspectMasterKeys(fit: 'fits' | 'does not fit' | 'unknown'): Finding[] {
  const what = 'master keys'
  if (fit === 'unknown') return [fine(what, 'Nothing is sealed yet.')]
  if (fit === 'fits') return [fine(what, 'They open what the store holds.')]
  const fix =
    'Give the key that the store was made with: the file master-key of its data directory, or COUNTERSIGN_MASTER_KEYS.'
  return [problem(what, 'They do not open what the store holds.', fix)]
}

/** What the guard really says of addresses that nobody should reach. */
export function inspectAddressGuard(config: Config): Finding[] {
  const what = 'address guard'
  const { allowHttp, allowedNetworks, allowedPorts } = config
  const guard = createAddressGuard({
    allowHttp,
    allowedNetworks,
    allowedPorts,
    // Only addresses are asked about: no name is looked up.
    resolve: async () => [],
  })
  const open = Object.entries(hiddenPlaces).filter(([url]) => guard.checkUrl(url).ok)
  const findings = open.map(([url, name]) =>
    warning(
      what,
      `Deliveries may go to ${name} (${new URL(url).hostname}).`,
      'Take its network out of COUNTERSIGN_ALLOWED_NETWORKS, unless every customer may reach it.',
    ),
  )
  if (allowHttp) {
    const fix =
      'Set COUNTERSIGN_ALLOW_HTTP to false where receivers are not on a network of your own.'
    findings.push(warning(what, 'Deliveries may go to plain http URLs.', fix))
  }
  return findings.length > 0
    ? findings
    : [fine(what, 'Only public https addresses can be reached.')]
}

const hiddenPlaces: Readonly<Record<string, string>> = {
  'https://127.0.0.1/': 'this machine',
  'https://[::1]/': 'this machine',
  'https://169.254.169.254/': "the cloud's metadata service",
  'https://10.0.0.1/': 'a private network',
  'https://192.168.0.1/': 'a private network',
}

function clockFindings(now: number, newestEventAt: number | null): Finding[] {
  const what = 'clock'
  const fix = 'Set the clock right, and keep it so with NTP.'
  if (now < clockFloor) return [problem(what, `It says ${isoOf(now)}.`, fix)]
  if (newestEventAt !== null && newestEventAt > now + futureToleratedMs) {
    const detail = `The newest event of the store is of ${isoOf(newestEventAt)}, which is in the future: the clock was ahead then, or is behind now.`
    return [problem(what, detail, fix)]
  }
  return [fine(what, `It says ${isoOf(now)}, after everything in the store.`)]
}

function isoOf(at: number): string {
  return new Date(at).toISOString()
}

function fine(what: string, detail: string): Finding {
  return { what, level: 'ok', detail, fix: null }
}

function warning(what: string, detail: string, fix: string): Finding {
  return { what, level: 'warning', detail, fix }
}

function problem(what: string, detail: string, fix: string): Finding {
  return { what, level: 'problem', detail, fix }
}
