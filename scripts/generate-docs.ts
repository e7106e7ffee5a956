import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openApiDocument } from '../server/src/api/openapi.ts'
import { devDefaults, tableRows } from '../server/src/config.ts'
import { errorTable } from '../server/src/core/errors.ts'
import { dialectBlocks } from './dialects-page.ts'
import { sdkReferenceBlocks } from './sdk-reference.ts'
import { sdkTypes } from './sdk-types.ts'

/**
 * Writes the pages and types that are made from tables and route schemas in the code. `--check` writes nothing, names the pages
 * that drifted, and exits with 1 if there are any.
 */
const pages: Record<string, () => string> = {
  'docs/configuration.md': configurationPage,
  'docs/dialects/README.md': () => page('Dialects', dialectBlocks()),
  'docs/errors.md': errorsPage,
  'docs/openapi.json': () => `${JSON.stringify(openApiDocument({ publicUrl: null }), null, 2)}\n`,
  'docs/sdk.md': () => page('SDK reference', sdkReferenceBlocks()),
  'sdk/src/api-types.ts': () => sdkTypes(openApiDocument({ publicUrl: null })),
}

const root = join(import.meta.dirname, '..')
const isCheck = process.argv.includes('--check')
const drifted: string[] = []
for (const [path, make] of Object.entries(pages)) {
  const text = make()
  if (text === readPage(path)) continue
  drifted.push(path)
  if (!isCheck) writeFileSync(join(root, path), text)
}
for (const path of drifted) console.log(isCheck ? `${path} drifted: run npm run docs` : path)
process.exitCode = isCheck && drifted.length > 0 ? 1 : 0

function readPage(path: string): string | null {
  try {
    return readFileSync(join(root, path), 'utf8')
  } catch {
    return null
  }
}

function configurationPage(): string {
  const rows = tableRows().map(([, option]) => {
    const name = `\`${option.variable}\`${option.isSecret ? ' (secret)' : ''}`
    const standard = option.default === undefined ? option.absent?.means : `\`${option.default}\``
    return `| ${name} | ${option.sentence} | ${option.kind.expected} | ${standard} |`
  })
  const devRows = tableRows()
    .filter(([name]) => name in devDefaults)
    .map(
      ([name, { variable }]) => `\`${variable}=${devDefaults[name as keyof typeof devDefaults]}\``,
    )
  return page('Configuration', [
    'Every option is an environment variable. `serve`, `dev` and `migrate` take all but the secret ones as flags too: `COUNTERSIGN_DATA_DIR` is `--data-dir`. A flag goes before the variable; an empty variable counts as absent.',
    'A wrong configuration is refused before anything is started: every mistake is listed on standard error, and the exit code is 2. A variable with our prefix that is no option is ignored with a warning. What was read is logged at the start, with secrets masked.',
    `\`countersign dev\`, which is what \`npm start\` runs, sets ${devRows.join(' and ')} unless they are set.`,
    'Durations are a whole number and a unit: `250ms`, `15s`, `5m`, `2h`, `5d`.',
    ['| variable | what it is for | what it may be | default |', '|---|---|---|---|', ...rows].join(
      '\n',
    ),
  ])
}

function errorsPage(): string {
  const sections = Object.entries(errorTable).map(
    ([code, { status, title, help }]) => `## ${code}\n\n**${status}** ${title}.\n\n${help}`,
  )
  return page('Errors', [
    'Every refusal is `application/problem+json` (RFC 9457): `type` ends with the code, `title` is the sentence below, `detail` says what happened this time, `instance` is the request id. `errors` lists every field at fault at once, each with its path and what would be right.',
    ...sections,
  ])
}

function page(title: string, blocks: readonly string[]): string {
  const note = '<!-- Made by `npm run docs` from tables in the code: change those. -->'
  return `# ${title}\n\n${note}\n\n${blocks.join('\n\n')}\n`
}
