import type { ApiKey, CreateApiKey, Scope } from '@countersign/sdk'
import { Command } from 'commander'
import type { CommandContext } from '../command-context.ts'
import { option, seconds, time, words } from '../options.ts'
import { rotateMasterCommand } from '../rotate-master.ts'
import { clientCommand } from './client-command.ts'
import { listCommand } from './list-command.ts'
import {
  answerWithSecret,
  type SecretOptions,
  secretNote,
  secretOptions,
} from './one-time-secret.ts'

const key = { '<key>': 'its id' }
const secretMembers = ['key', 'clientSecret']

/** `countersign keys`: API keys of a project, and the master keys of a server. */
export function keysCommand(context: CommandContext): Command {
  return new Command('keys')
    .description('API keys of a project, and the master keys of a server')
    .addCommand(listKeysCommand(context))
    .addCommand(createKeyCommand(context))
    .addCommand(rotateKeyCommand(context))
    .addCommand(revokeKeyCommand(context))
    .addCommand(rotateMasterCommand(context))
}

function listKeysCommand(context: CommandContext): Command {
  return listCommand<ApiKey>(context, {
    description: 'list API keys, without their values',
    examples: [['countersign keys list']],
    columns: [
      { title: 'id', of: ({ id }) => id },
      { title: 'name', of: ({ name }) => name },
      { title: 'ends with', of: ({ hint }) => hint },
      { title: 'last used', of: ({ lastUsedAt }) => lastUsedAt },
      { title: 'until', of: ({ revokedAt, expiresAt }) => revokedAt ?? expiresAt },
      { title: 'scopes', of: ({ scopes }) => scopes.join(',') },
    ],
    list: ({ client, project }, _args, { limit }) => client.apiKeys.list(project, { limit }),
  })
}

function createKeyCommand(context: CommandContext): Command {
  return clientCommand<
    SecretOptions & { scopes?: Scope[]; expiresAt?: Date; dialect?: CreateApiKey['dialect'] }
  >(context, {
    name: 'create',
    description: 'create an API key',
    args: { '<name>': 'for people' },
    options: [
      option('--scopes <scopes>', 'with commas between; all but keys.write where absent', words),
      option('--expires-at <time>', 'never where absent', time),
      option('--dialect <system>', 'gives it the shape that clients of this system know'),
      ...secretOptions,
    ],
    note: secretNote,
    examples: [
      ['countersign keys create publisher --scopes events.write --secret-to publisher.key'],
      ['countersign keys create ci --expires-at 2036-01-01T00:00:00Z --show-secret'],
    ],
    async run(session, [name = ''], options) {
      const { scopes, expiresAt, dialect } = options
      const { client, project } = session
      await answerWithSecret(session, options, secretMembers, (post) =>
        client.apiKeys.create(project, { name, scopes, expiresAt, dialect }, post),
      )
    },
  })
}

function rotateKeyCommand(context: CommandContext): Command {
  return clientCommand<SecretOptions & { expireCurrentIn?: number }>(context, {
    name: 'rotate',
    description: 'give a key a new value; the earlier one works on for a while',
    args: key,
    options: [
      option('--expire-current-in <duration>', 'how long; a day where absent, 0: now', seconds),
      ...secretOptions,
    ],
    note: secretNote,
    examples: [['countersign keys rotate key_… --expire-current-in 1h --secret-to new.key']],
    async run(session, [id = ''], options) {
      const { client, project } = session
      const { expireCurrentIn } = options
      await answerWithSecret(session, options, secretMembers, (post) =>
        client.apiKeys.rotate(project, id, { expireCurrentIn }, post),
      )
    },
  })
}

function revokeKeyCommand(context: CommandContext): Command {
  return clientCommand(context, {
    name: 'revoke',
    description: 'stop a key now',
    args: key,
    examples: [['countersign keys revoke key_…']],
    async run({ client, project, output }, [id = '']) {
      await client.apiKeys.revoke(project, id)
      output.say(`Revoked ${id}.`)
    },
  })
}
