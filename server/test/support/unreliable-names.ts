import { readFileSync } from 'node:fs'

/*
 * Loaded into a server process before its own code, in each of its threads: stands in the place of
 * the system's look-up of names, which no test can break without breaking it for the whole machine.
 * What it does is in a file, so that the test can change it while the server runs.
 */

/** `hang`: no answer while it lasts, and then the failure that a system gives after its own timeout. */
export type NameService = 'answer' | 'fail' | 'hang'

/** Names the file that holds one of these words. */
export const nameServiceFileVariable = 'TEST_NAME_SERVICE_FILE'

const file = process.env[nameServiceFileVariable]
if (file !== undefined) {
  const names = await import('node:dns/promises')
  const { syncBuiltinESMExports } = await import('node:module')
  const look = () => readFileSync(file, 'utf8') as NameService
  const lookup = async (hostname: string) => {
    const wasHanging = look() === 'hang'
    while (look() === 'hang') await new Promise((resolve) => setTimeout(resolve, 10))
    if (wasHanging || look() === 'fail') {
      throw Object.assign(new Error(`getaddrinfo EAI_AGAIN ${hostname}`), { code: 'EAI_AGAIN' })
    }
    return [{ address: '127.0.0.1', family: 4 }]
  }
  Object.assign(names.default, { lookup })
  syncBuiltinESMExports()
}
