import type { EventType } from '@countersign/sdk'
import { jsonObject, option, readInput } from '../options.ts'
import { clientCommand } from './client-command.ts'
import { commandGroup } from './command-group.ts'
import { listCommand } from './list-command.ts'

interface Level {
  catalog?: boolean
}

const catalog = option('--catalog', 'the catalogue for all projects, in place of the project’s own')
const name = { '<name>': 'such as order.paid' }

/** `countersign event-types`: what events there are, and what they carry. */
export const eventTypesCommand = commandGroup('event-types', 'what events there are', [
  (context) =>
    listCommand<EventType, Level>(context, {
      description: 'list event types',
      options: [catalog],
      examples: [['countersign event-types list'], ['countersign event-types list --catalog']],
      columns: [
        { title: 'name', of: (type) => type.name },
        { title: 'schema', of: ({ schema }) => (schema === null ? null : 'yes') },
        { title: 'deprecated', of: ({ deprecated }) => (deprecated ? 'yes' : null) },
        { title: 'description', of: ({ description }) => description },
      ],
      list: (session, _args, { limit, catalog }) =>
        catalog
          ? session.client.catalog.list({ limit })
          : session.client.eventTypes.list(session.project, { limit }),
    }),
  (context) =>
    clientCommand<Level>(context, {
      name: 'show',
      description: 'show the definition in force',
      args: name,
      options: [catalog],
      examples: [['countersign event-types show order.kept --json']],
      async run(session, [type = ''], options) {
        const { client, output } = session
        output.show(
          options.catalog
            ? await client.catalog.get(type)
            : await client.eventTypes.get(session.project, type),
        )
      },
    }),
  (context) =>
    clientCommand<Level & { description?: string; schemaFrom?: string; deprecated?: true }>(
      context,
      {
        name: 'define',
        description: 'define an event type, wholly: what is absent has its default',
        args: name,
        options: [
          catalog,
          option('--description <text>', 'for people'),
          option('--schema-from <file>', 'a JSON schema that data must fit; - is standard input'),
          option('--deprecated', 'still accepted, and marked'),
        ],
        examples: [
          ['countersign event-types define order.paid --description "An order was paid."'],
          ['countersign event-types define order.sent --schema-from order.schema.json --catalog'],
        ],
        async run(session, [type = ''], options) {
          const { description, schemaFrom, deprecated } = options
          const schema =
            schemaFrom === undefined
              ? undefined
              : jsonObject((await readInput(context, schemaFrom)).toString('utf8'))
          const { client, output } = session
          const definition = { description, schema, deprecated }
          output.show(
            options.catalog
              ? await client.catalog.define(type, definition)
              : await client.eventTypes.define(session.project, type, definition),
          )
        },
      },
    ),
  (context) =>
    clientCommand<Level>(context, {
      name: 'delete',
      description: 'delete a definition; events of the type are accepted on',
      args: name,
      options: [catalog],
      examples: [['countersign event-types delete order.old']],
      async run(session, [type = ''], options) {
        const { client, output } = session
        if (options.catalog) await client.catalog.delete(type)
        else await client.eventTypes.delete(session.project, type)
        output.say(`Deleted ${type}.`)
      },
    }),
])
