import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TestCertificate {
  key: string
  cert: string
}

/**
 * A self-signed certificate for these names, such as `DNS:receiver.test` or `IP:127.0.0.1`, valid
 * for a day. Made anew each time, so that no private key is ever committed. Null where there is no
 * `openssl` program.
 */
export function makeCertificate(names: readonly string[]): TestCertificate | null {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-certificate-'))
  const keyFile = join(folder, 'key.pem')
  const certFile = join(folder, 'cert.pem')
  try {
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
        ...['-keyout', keyFile, '-out', certFile, '-subj', '/CN=test', '-days', '1'],
        ...['-addext', `subjectAltName=${names.join(',')}`],
      ],
      { stdio: 'pipe' },
    )
    return { key: readFileSync(keyFile, 'utf8'), cert: readFileSync(certFile, 'utf8') }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  } finally {
    rmSync(folder, { recursive: true })
  }
}
