import type { Command } from 'commander'
import { compileFilter } from '../../core/event-filter.ts'
import { createRandom } from '../../random.ts'
import type { CommandContext } from '../command-context.ts'
import { httpUrl, option, readLine, words } from '../options.ts'
import { createSigner, formatOption, readKey, type Signer } from '../signer.ts'
import { waitUntilStopped } from '../wait-until-stopped.ts'
import { type ClientSession, clientCommand } from './client-command.ts'
import { createForwarder, type Forwarded } from './forwarder.ts'
import { profileFilePath, readProfileFile, writeProfileFile } from './profiles.ts'

interface ListenOptions {
  forwardTo: string
  format: string
  events?: string[]
  secretFrom?: string
  showSecret?: boolean
}

/** `countersign listen`: events of a project, signed here and forwarded to a local receiver. */
export function listenCommand(context: CommandContext): Command {
  return clientCommand<ListenOptions>(context, {
    name: 'listen',
    description: 'forward the events of a project to a receiver of yours, signed here',
    options: [
      option('--forward-to <url>', 'where the receiver is', httpUrl).makeOptionMandatory(),
      formatOption,
      option('--events <types>', 'these alone: order.paid, order.*', words),
      option('--secret-from <file>', 'sign with a secret of your own; - is standard input'),
      option('--show-secret', 'print the secret that signs, for the receiver'),
    ],
    note: `It signs with a secret of its own for each format, which stays the same and is kept with the
profiles. An event counts as forwarded once the receiver has answered, whatever it answered; where
nothing answers, it is tried until something does. Connections that break and servers that restart
cost nothing. Ctrl-C stops it.`,
    examples: [
      ['countersign listen --forward-to http://127.0.0.1:3000/hooks --show-secret'],
      [
        'countersign listen --forward-to http://127.0.0.1:3000/hooks --format stripe --events "order.*" --json',
      ],
    ],
    run: listen,
  })
}

async function listen(
  session: ClientSession,
  _args: string[],
  options: ListenOptions,
): Promise<void> {
  const { client, project, context, output } = session
  using stopping = waitUntilStopped(context)
  const signer = createSigner(options.format)
  const secret = await secretOf(context, signer, options)
  const key = readKey(signer.format, secret)
  const isWanted = compileFilter(options.events ?? [])
  const forwarder = createForwarder({
    url: options.forwardTo,
    signer,
    key,
    clock: context.clock,
    stopping,
    onFailure: (error) => output.warn(`${options.forwardTo} does not answer: ${error}`),
  })
  const { signal } = stopping
  let isOpen = false
  const onConnection = (error: Error | null) => {
    if (error !== null) output.warn(`Not connected: ${error.message}`)
    else if (!isOpen) greet(session, options, secret)
    isOpen ||= error === null
  }
  try {
    const items = client.stream.follow(project, { only: 'events', signal, onConnection })
    for await (const item of items) {
      if (item.kind === 'gap') output.warn('More had happened than the server tells of.')
      if (item.kind !== 'event' || !isWanted(item.event.type)) continue
      const forwarded = await forwarder.forward(item)
      if (forwarded !== null) tell(session, forwarded)
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

function greet({ output }: ClientSession, options: ListenOptions, secret: string): void {
  output.warn(`Listening: events are forwarded to ${options.forwardTo}.`)
  output.warn(
    options.showSecret ? `They are signed with ${secret}` : '--show-secret prints what signs them.',
  )
}

function tell({ output }: ClientSession, forwarded: Forwarded): void {
  if (output.isJson) output.write(`${JSON.stringify(forwarded)}\n`)
  const { event_id: id, event_type: type, status_code: status, duration_ms: took } = forwarded
  output.say(`${status}  ${type}  ${id}  ${took} ms`)
}

async function secretOf(
  context: CommandContext,
  { format }: Signer,
  { secretFrom }: ListenOptions,
): Promise<string> {
  if (secretFrom !== undefined) return readLine(context, secretFrom)
  const path = profileFilePath(context.environment)
  const file = readProfileFile(path)
  const kept = file.listenSecrets?.[format.name]
  if (kept !== undefined) return kept
  const secret = format.generateSecret(createRandom().bytes)
  writeProfileFile(path, {
    ...file,
    listenSecrets: { ...file.listenSecrets, [format.name]: secret },
  })
  return secret
}
