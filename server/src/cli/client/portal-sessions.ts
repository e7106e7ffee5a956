import type { CreatePortalSession } from '@countersign/sdk'
import { option, seconds, words } from '../options.ts'
import { clientCommand } from './client-command.ts'
import { commandGroup } from './command-group.ts'
import {
  answerWithSecret,
  type SecretOptions,
  secretNote,
  secretOptions,
} from './one-time-secret.ts'

/** `countersign portal-sessions`: a customer’s engineer, for a while. */
export const portalSessionsCommand = commandGroup(
  'portal-sessions',
  'a door for a customer’s engineer, for a while',
  [
    (context) =>
      clientCommand<SecretOptions & { scopes: CreatePortalSession['scopes']; expiresIn?: number }>(
        context,
        {
          name: 'create',
          description: 'open a session; its token is used as an API key',
          args: { '<actor>': 'whose it is, for the audit log' },
          options: [
            option('--scopes <scopes>', 'with commas between', words).default([
              'webhooks.read',
              'deliveries.read',
            ]),
            option('--expires-in <duration>', 'an hour where absent, a day at most', seconds),
            ...secretOptions,
          ],
          note: secretNote,
          examples: [
            [
              'countersign portal-sessions create jo@customer.example --scopes webhooks.read,secrets.rotate --show-secret',
            ],
          ],
          async run(session, [actor = ''], options) {
            const { client, project } = session
            const { scopes, expiresIn } = options
            await answerWithSecret(session, options, ['token'], (post) =>
              client.portalSessions.create(project, { actor, scopes, expiresIn }, post),
            )
          },
        },
      ),
    (context) =>
      clientCommand(context, {
        name: 'revoke',
        description: 'end a session: its token stops at once',
        args: { '<session>': 'its id' },
        examples: [['countersign portal-sessions revoke pts_…']],
        async run({ client, project, output }, [id = '']) {
          await client.portalSessions.revoke(project, id)
          output.say(`Ended ${id}.`)
        },
      }),
  ],
)
