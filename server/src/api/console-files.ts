import { hash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join, relative, sep } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { FastifyInstance } from 'fastify'
import { AppError } from '../core/errors.ts'
import { apiLimits } from './api-limits.ts'

/**
 * Serves the web console below `/console/`. The files are read once and answered from memory, by
 * exact name: no request ever becomes a path of the file system.
 */
export function addConsole(app: FastifyInstance, directory: string): void {
  const files = readFiles(directory)
  const start = files.get('index.html')
  if (start === undefined) throw new Error(`There is no index.html in ${directory}.`)
  app.get('/console', (_request, reply) => reply.redirect('/console/', 302))
  app.get('/console/*', async (request, reply) => {
    const name = (request.params as { '*': string })['*']
    // The console's own pages are not files: it finds its way from the address by itself.
    const file = files.get(name) ?? (extname(name) === '' ? start : undefined)
    if (file === undefined) throw new AppError('not_found', { detail: 'There is no such file.' })
    if (request.headers['if-none-match'] === file.headers.etag) {
      return reply.headers(file.headers).code(304).send()
    }
    const mayCompress = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '')
    const compressed = mayCompress ? await file.compressed() : null
    if (compressed === null) return reply.headers(file.headers).send(file.bytes)
    return reply.headers({ ...file.headers, 'content-encoding': 'gzip' }).send(compressed)
  })
}

const compress = promisify(gzip)

interface ConsoleFile {
  bytes: Buffer
  /** Null where it cannot be, and is sent as it is. */
  compressed: () => Promise<Buffer | null>
  headers: Readonly<Record<string, string>> & { etag: string }
}

function readFiles(directory: string): Map<string, ConsoleFile> {
  const files = new Map<string, ConsoleFile>()
  let byteCount = 0
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const bytes = readFileSync(path)
    byteCount += bytes.length
    if (files.size >= apiLimits.consoleFilesMax || byteCount > apiLimits.consoleBytesMax) {
      throw new Error(`${directory} holds more than a console should.`)
    }
    const name = relative(directory, path).replaceAll(sep, '/')
    // When it is first asked for: a start has better things to do.
    let compressed: Promise<Buffer | null> | undefined
    files.set(name, {
      bytes,
      compressed: () => (compressed ??= compress(bytes).catch(() => null)),
      headers: headersOf(name, bytes),
    })
  }
  return files
}

function headersOf(name: string, bytes: Buffer): ConsoleFile['headers'] {
  return {
    'content-type': contentTypes[extname(name)] ?? 'application/octet-stream',
    etag: `"${hash('sha256', bytes, 'base64url').slice(0, 22)}"`,
    // A name under assets/ changes with its content. All else is asked for again each time, and
    // answered with 304: an update is seen at once.
    'cache-control': name.startsWith('assets/')
      ? 'public, max-age=31536000, immutable'
      : 'no-cache',
    vary: 'accept-encoding',
    'content-security-policy': consolePolicy,
    'referrer-policy': 'no-referrer',
  }
}

const consolePolicy = [
  // No inline script and no inline style: what runs and how it looks is in files of the build.
  "default-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "object-src 'none'",
  "frame-ancestors 'none'",
].join('; ')

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
}
