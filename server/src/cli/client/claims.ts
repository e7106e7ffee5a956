import { readLine } from '../options.ts'
import { clientCommand } from './client-command.ts'
import { commandGroup } from './command-group.ts'
import {
  answerWithSecret,
  type SecretOptions,
  secretNote,
  secretOptions,
} from './one-time-secret.ts'

const link = { '<file>': 'where the link or its token is; - is standard input' }

/** `countersign claims`: secrets that wait behind a link. */
export const claimsCommand = commandGroup('claims', 'secrets that wait behind a link', [
  (context) =>
    clientCommand<SecretOptions>(context, {
      name: 'open',
      description: 'claim the secret behind a link; it works once',
      args: link,
      options: secretOptions,
      note: secretNote,
      isInstance: true,
      examples: [['countersign claims open claim.link --secret-to new.secret']],
      async run(session, [file = ''], options) {
        const token = tokenOf(await readLine(context, file))
        await answerWithSecret(session, options, ['secret'], (post) =>
          session.client.claims.claim(token, post),
        )
      },
    }),
  (context) =>
    clientCommand(context, {
      name: 'dispute',
      description: 'say that it was somebody else who claimed the secret',
      args: link,
      isInstance: true,
      examples: [['countersign claims dispute claim.link']],
      async run({ client, output }, [file = '']) {
        output.show(await client.claims.dispute(tokenOf(await readLine(context, file))))
      },
    }),
])

/** The token stands after the `#` of a link, so that no server logs it. */
function tokenOf(text: string): string {
  return text.slice(text.indexOf('#') + 1)
}
