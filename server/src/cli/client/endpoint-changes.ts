import type { CreateEndpoint, CreateKeyEndpoint, UpdateEndpoint } from '@countersign/sdk'
import type { Command, Option } from 'commander'
import type { CommandContext } from '../command-context.ts'
import { choice, count, jsonObject, option, readLine, words } from '../options.ts'
import { type ClientSession, clientCommand } from './client-command.ts'
import {
  answerWithSecret,
  type SecretOptions,
  secretNote,
  secretOptions,
} from './one-time-secret.ts'

interface EndpointFields {
  to?: string
  uid?: string
  description?: string
  eventTypes?: string[]
  format?: UpdateEndpoint['format']
  headersFrom?: string
  metadata?: Record<string, unknown>
  rateLimit?: number
  state?: UpdateEndpoint['state']
}

const fields: readonly Option[] = [
  option('--uid <uid>', 'an identifier of your own, in place of the id'),
  option('--description <text>', 'for people'),
  option('--event-types <types>', 'with commas between: order.paid, order.*, *', words),
  option('--format <format>', 'how deliveries look; standard where absent'),
  option('--headers-from <file>', 'a JSON object of headers to add; - is standard input'),
  option('--metadata <json>', 'yours', jsonObject),
  option('--rate-limit <count>', 'requests a second, at most', count(1, 1_000_000)),
  choice('--state <state>', 'active or disabled', ['active', 'disabled']),
]

/** `countersign endpoints create`. */
export function createEndpointCommand(context: CommandContext): Command {
  return clientCommand<
    EndpointFields & SecretOptions & { algorithm?: string; secretFrom?: string }
  >(context, {
    name: 'create',
    description: 'create an endpoint',
    args: { '<url>': 'where events go' },
    options: [
      ...fields,
      choice('--algorithm <name>', 'what signs', ['hmac-sha256', 'ed25519']),
      option('--secret-from <file>', 'a secret of your own; - is standard input'),
      ...secretOptions,
    ],
    note: secretNote,
    examples: [
      ['countersign endpoints create https://example.com/hooks --uid invoices --show-secret'],
      [
        'countersign endpoints create https://example.com/hooks --event-types "order.*" --secret-to hook.secret',
      ],
      ['countersign endpoints create https://example.com/hooks --algorithm ed25519'],
    ],
    async run(session, [url = ''], options) {
      const input = {
        ...(await givenOf(session, options)),
        url,
        ...(options.algorithm === undefined ? {} : { algorithm: options.algorithm }),
        ...(options.secretFrom === undefined
          ? {}
          : { secret: await readLine(context, options.secretFrom) }),
      }
      const { client, project } = session
      await answerWithSecret<object>(session, options, ['secret'], (post) =>
        input.algorithm === 'ed25519'
          ? client.endpoints.create(project, input as CreateKeyEndpoint, post)
          : client.endpoints.create(project, input as CreateEndpoint, post),
      )
    },
  })
}

/** `countersign endpoints update`. */
export function updateEndpointCommand(context: CommandContext): Command {
  return clientCommand<EndpointFields>(context, {
    name: 'update',
    description: 'change what is given; the secret changes by rotate-secret',
    args: { '<endpoint>': 'id or uid' },
    options: [option('--to <url>', 'where events go'), ...fields],
    examples: [
      ['countersign endpoints update billing --event-types order.paid,order.sent'],
      ['countersign endpoints update billing --state disabled'],
      ['countersign endpoints update billing --to https://example.com/new-hooks'],
    ],
    async run(session, [ref = ''], options) {
      const changes = await givenOf(session, options)
      session.output.show(await session.client.endpoints.update(session.project, ref, changes))
    },
  })
}

async function givenOf(
  { context }: ClientSession,
  { uid, description, eventTypes, format, metadata, state, ...rest }: EndpointFields,
): Promise<UpdateEndpoint> {
  const given: UpdateEndpoint = { uid, description, eventTypes, format, metadata, state }
  const { to, headersFrom, rateLimit } = rest
  if (to !== undefined) given.url = to
  if (headersFrom !== undefined) {
    const headers = jsonObject(await readLine(context, headersFrom))
    given.headers = headers as Record<string, string>
  }
  if (rateLimit !== undefined) given.rateLimitPerSecond = rateLimit
  return given
}
