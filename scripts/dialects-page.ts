import {
  answerKey,
  type Contract,
  type Field,
  type Operation,
  type Parameter,
  parameterKey,
} from '../server/test/dialects/contract.ts'
import { contracts } from '../server/test/dialects/contracts.ts'

/** `docs/dialects/README.md`: every fact of the systems' documents beside the test that holds it. */
export function dialectBlocks(): string[] {
  return [
    'Countersign serves the webhook APIs of five other systems on their own paths, all at once, over the same projects, endpoints, secrets and deliveries as its own API. A client of one of them works after changing nothing but base URL and key. `COUNTERSIGN_DIALECTS` chooses which are served.',
    [
      '| system | its page | paths | facts held by tests |',
      '|---|---|---|---|',
      ...contracts.map(
        (contract) =>
          `| ${contract.title} | [${contract.dialect}.md](${contract.dialect}.md) | ${pathsOf(contract)} | ${factCount(contract)} |`,
      ),
    ].join('\n'),
    'Below stands every path, parameter, status and field that the documents of a system name, each with the test that fails when it no longer holds. `seed` marks what the five documents say with which this project began; `vendor` marks other pages and clients of the system. A fact without a test fails the build.',
    ...contracts.flatMap(contractBlocks),
  ]
}

function contractBlocks(contract: Contract): string[] {
  const file = `server/test/dialects/${contract.dialect}-contract.test.ts`
  return [
    `## ${contract.title}`,
    `The tests of this table are in \`${file}\`; each name begins with \`${contract.dialect}:\`.`,
    ...contract.operations.flatMap(operationBlocks),
  ]
}

function operationBlocks(operation: Operation): string[] {
  const rows = [
    ...operation.parameters.map((parameter) => parameterRow(operation, parameter)),
    ...operation.answers.flatMap((answer) => {
      const key = answerKey(operation, answer)
      const headers = (answer.headers ?? []).map((name) => `header \`${name}\``)
      const what = [answer.contentType === 'none' ? 'no body' : answer.contentType, ...headers]
      return [
        `| **${answer.status}** | ${what.join(', ')} | ${key} |`,
        ...answer.fields.map((field) => `| \`${field.at}\` | ${fieldText(field)} | ${key} |`),
      ]
    }),
  ]
  return [
    `### ${operation.method} ${operation.path}`,
    `${sentence(operation.name)} (${operation.source}).`,
    ['| fact | what it is | test |', '|---|---|---|', ...rows].join('\n'),
  ]
}

function parameterRow(operation: Operation, parameter: Parameter): string {
  const { in: place, name, type, isRequired, note } = parameter
  const what = [type, isRequired ? 'required' : 'optional', note].filter(Boolean).join(', ')
  return `| ${place} \`${name}\` | ${escaped(what)} | ${parameterKey(operation, parameter)} |`
}

function fieldText({ type, isRequired, isNullable, oneOf }: Field): string {
  const values = oneOf?.map((value) => `\`${value}\``).join(', ')
  const what = [
    isNullable ? `${type} or null` : type,
    isRequired ? 'required' : 'optional',
    values === undefined ? undefined : `one of ${values}`,
  ]
  return escaped(what.filter(Boolean).join(', '))
}

function pathsOf({ operations }: Contract): string {
  return new Set(operations.map(({ path }) => path)).size.toString()
}

function factCount({ operations }: Contract): number {
  return operations
    .map(({ parameters, answers }) => {
      const parts = answers.map(({ fields, headers = [] }) => 1 + fields.length + headers.length)
      return 1 + parameters.length + parts.reduce((sum, part) => sum + part, 0)
    })
    .reduce((sum, part) => sum + part, 0)
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|')
}
