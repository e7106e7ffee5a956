import { styleText } from 'node:util'
import { Command } from 'commander'
import { isColorRefused } from '../../config.ts'
import { createRandom } from '../../random.ts'
import { reportFailure } from '../client/client-command.ts'
import type { CommandContext } from '../command-context.ts'
import type { CheckResult } from '../drill/check.ts'
import { createSubject } from '../drill/create-subject.ts'
import { checks, runDrill } from '../drill/run-drill.ts'
import { examplesText } from '../examples.ts'
import { type ExitCode, exitCodes } from '../exit-codes.ts'
import { httpUrl, option, seconds } from '../options.ts'
import { readText } from '../post-delivery.ts'
import { createProgressBar } from '../progress-bar.ts'
import { createSigner, formatOption, readKey, readSecrets, secretFromOption } from '../signer.ts'
import { waitUntilStopped } from '../wait-until-stopped.ts'

interface DrillOptions {
  format: string
  secret?: string
  secretFrom?: string
  newSecret?: string
  newSecretFrom?: string
  eventType: string
  effectsUrl?: string
  answerWithin: number
  strict?: boolean
  json?: boolean
}

const marks = { pass: '✔', fail: '✖', unchecked: '–' } as const
const colors = { pass: 'green', fail: 'red', unchecked: 'yellow' } as const

/** `countersign drill <receiver-url>`: a report card for any receiver. */
export function drillCommand(context: CommandContext): Command {
  const command = new Command('drill')
    .description(
      'try any receiver with good, bad, old, repeated, large and slow deliveries, then a rotation',
    )
    .argument('<receiver-url>', 'where it takes deliveries', httpUrl)
    .addOption(formatOption)
    .addOption(secretFromOption)
    .addOption(
      option(
        '--secret <secret>',
        'the secret itself: for secrets of tests, since histories keep it',
      ),
    )
    .addOption(
      option('--new-secret-from <file>', 'a second secret that the receiver has, for the rotation'),
    )
    .addOption(option('--new-secret <secret>', 'that secret itself; see --secret'))
    .addOption(option('--event-type <type>', 'what is sent').default('countersign.probe'))
    .addOption(
      option('--effects-url <url>', 'answers how many events took effect, a number', httpUrl),
    )
    .addOption(option('--answer-within <duration>', 'how long it may take', seconds).default(5))
    .option('--strict', 'what could not be checked fails as well')
    .option('--json', 'for programs')
    .addHelpText('after', examplesText(examples, note))
  return command.action(async (url: string, options: DrillOptions) => {
    try {
      context.finish(await drill(context, url, options))
    } catch (error) {
      context.finish(reportFailure(error, context))
    }
  })
}

async function drill(
  context: CommandContext,
  url: string,
  options: DrillOptions,
): Promise<ExitCode> {
  using stopping = waitUntilStopped(context)
  const { clock, stdout, stderr } = context
  const signer = createSigner(options.format)
  const given = options.secret ? [options.secret] : await readSecrets(context, options.secretFrom)
  const secret = given[0] ?? ''
  const newSecret = (await newSecretOf(context, options)) ?? given[1]
  const answerWithinMs = options.answerWithin * 1000
  const subject = createSubject({
    ...{ url, signer, secret, answerWithinMs, eventType: options.eventType },
    key: readKey(signer.format, secret),
    newKey: newSecret === undefined ? null : readKey(signer.format, newSecret),
    effectsUrl: options.effectsUrl ?? null,
    ...{ now: clock.now, monotonic: clock.monotonic, signal: stopping.signal },
    randomBytes: createRandom().bytes,
    readText: (address) => readText(address, answerWithinMs),
  })
  const bar = stderr.isTTY ? createProgressBar(stderr, 'Drilling') : null
  const results = await runDrill(subject, (_result, done) => bar?.update(done, checks.length))
  bar?.end()
  const passed = results.every(
    ({ verdict }) => verdict === 'pass' || (verdict === 'unchecked' && !options.strict),
  )
  const { format } = options
  if (options.json)
    stdout.write(`${JSON.stringify({ url, format, passed, checks: results }, null, 2)}\n`)
  else writeCard(context, results, passed)
  return passed ? exitCodes.ok : exitCodes.failure
}

function writeCard(
  { stdout, environment }: CommandContext,
  results: readonly CheckResult[],
  passed: boolean,
): void {
  const usesColor = stdout.isTTY && !isColorRefused(environment)
  const width = Math.max(...results.map(({ name }) => name.length))
  for (const { name, verdict, detail } of results) {
    const mark = usesColor
      ? styleText(colors[verdict], marks[verdict], { validateStream: false })
      : marks[verdict]
    stdout.write(`${mark} ${name.padEnd(width)}  ${detail}\n`)
  }
  const count = (verdict: CheckResult['verdict']) =>
    results.filter((result) => result.verdict === verdict).length
  stdout.write(
    `\n${passed ? 'Passed' : 'Not passed'}: ${count('pass')} right, ${count('fail')} wrong, ${count('unchecked')} not checked.\n`,
  )
}

async function newSecretOf(
  context: CommandContext,
  { newSecret, newSecretFrom }: DrillOptions,
): Promise<string | undefined> {
  if (newSecret !== undefined || newSecretFrom === undefined) return newSecret
  return (await readSecrets(context, newSecretFrom))[0]
}

const note = `The deliveries are as real ones: have the receiver of a test environment tried. It ends with 0 where
every check passed, else with 1. For the rotation the receiver must have two secrets: name both, one
on each line of --secret-from, or with --new-secret-from.`

const examples = [
  ['countersign drill http://127.0.0.1:3000/hooks --secret-from hook.secret'],
  [
    'countersign drill http://127.0.0.1:3000/hooks --secret-from hook.secret --new-secret-from new.secret --strict --effects-url http://127.0.0.1:3000/effects',
  ],
  [
    'countersign drill http://127.0.0.1:3000/hooks --secret whsec_dGVzdC1zZWNyZXQtMDEyMzQ1Njc4OWFiY2RlZg== --json',
  ],
] as const
