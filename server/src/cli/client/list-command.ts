import type { List } from '@countersign/sdk'
import type { Command, Option } from 'commander'
import type { CommandContext } from '../command-context.ts'
import type { Example } from '../examples.ts'
import { count, option } from '../options.ts'
import { type ClientSession, clientCommand } from './client-command.ts'
import type { Column } from './output.ts'

/** A command that lists, newest first. */
export interface ListCommandSpec<T extends object, Options> {
  name?: string
  description: string
  args?: Readonly<Record<string, string>>
  options?: readonly Option[]
  examples: readonly Example[]
  isInstance?: boolean
  columns: readonly Column<T>[]
  list(session: ClientSession, args: string[], options: Options & { limit: number }): List<T>
}

const limitDefault = 25
const limitMax = 100_000
/** Largest page of the API. */
const pageMax = 100

/** Makes a command that reads as many pages as `--limit` asks for. */
export function listCommand<T extends object, Options = Record<never, never>>(
  context: CommandContext,
  spec: ListCommandSpec<T, Options>,
): Command {
  return clientCommand<Options & { limit: number }>(context, {
    ...spec,
    name: spec.name ?? 'list',
    options: [
      ...(spec.options ?? []),
      option(
        '--limit <count>',
        `how many, newest first, up to ${limitMax}`,
        count(1, limitMax),
      ).default(limitDefault),
    ],
    async run(session, args, options) {
      const { output } = session
      const items: T[] = []
      // One more than asked for tells whether there are more.
      const page = Math.min(pageMax, options.limit + 1)
      for await (const item of spec.list(session, args, { ...options, limit: page })) {
        if (items.length === options.limit) {
          output.warn(`There are more: --limit ${options.limit * 4} shows them.`)
          break
        }
        items.push(item)
      }
      output.list(items, spec.columns)
    },
  })
}
