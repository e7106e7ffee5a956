import type { Project, ProjectSettings } from '@countersign/sdk'
import { jsonObject, option, timeBefore } from '../options.ts'
import { clientCommand } from './client-command.ts'
import { commandGroup } from './command-group.ts'
import { listCommand } from './list-command.ts'

interface ProjectOptions {
  name?: string
  uid?: string
  settings?: ProjectSettings
}

const uid = option('--uid <uid>', 'an identifier of your own, in place of the id')
const settings = option('--settings <json>', 'as the API takes them, in camelCase', jsonObject)

/** `countersign projects`: tenants of a server. */
export const projectsCommand = commandGroup('projects', 'tenants of a server', [
  (context) =>
    listCommand<Project>(context, {
      description: 'list projects (root key)',
      isInstance: true,
      examples: [['countersign projects list']],
      columns: [
        { title: 'id', of: ({ id }) => id },
        { title: 'uid', of: (project) => project.uid },
        { title: 'name', of: ({ name }) => name },
        { title: 'created', of: ({ createdAt }) => createdAt },
      ],
      list: ({ client }, _args, query) => client.projects.list({ limit: query.limit }),
    }),
  (context) =>
    clientCommand(context, {
      name: 'show',
      description: 'show the project',
      examples: [['countersign projects show --project acme']],
      async run({ client, project, output }) {
        output.show(await client.projects.get(project))
      },
    }),
  (context) =>
    clientCommand<{ since?: Date; bucket?: string }>(context, {
      name: 'stats',
      description: 'what became of the deliveries of all its endpoints, and how long they took',
      options: [
        option('--since <time>', 'a time, or how long ago', timeBefore(context.clock.now)),
        option('--bucket <duration>', 'also in slices of this length'),
      ],
      examples: [['countersign projects stats --project acme --since 24h --bucket 1h']],
      async run({ client, project, output }, _args, { since, bucket }) {
        output.show(await client.projects.stats(project, { since, bucket }))
      },
    }),
  (context) =>
    clientCommand<ProjectOptions>(context, {
      name: 'create',
      description: 'create a project (root key)',
      args: { '<name>': 'for people' },
      options: [uid, settings],
      isInstance: true,
      examples: [
        ['countersign projects create "Acme Inc." --uid acme-inc'],
        [`countersign projects create Brief --settings '{"retentionDays":7}'`],
      ],
      async run({ client, output }, [name = ''], options) {
        output.show(await client.projects.create({ ...givenOf(options), name }))
      },
    }),
  (context) =>
    clientCommand<ProjectOptions>(context, {
      name: 'update',
      description: 'change what is given',
      options: [option('--name <name>', 'for people'), uid, settings],
      examples: [[`countersign projects update --project acme --settings '{"autoProbe":true}'`]],
      async run({ client, project, output }, _args, options) {
        output.show(await client.projects.update(project, givenOf(options)))
      },
    }),
  (context) =>
    clientCommand(context, {
      name: 'delete',
      description: 'delete a project with all that it owns (root key)',
      args: { '<project>': 'id or uid; named here, so that no profile decides' },
      isInstance: true,
      examples: [['countersign projects delete old']],
      async run({ client, output }, [project = '']) {
        await client.projects.delete(project)
        output.say(`Deleted ${project}.`)
      },
    }),
])

function givenOf({ name, uid, settings }: ProjectOptions): ProjectOptions {
  return {
    ...(name === undefined ? {} : { name }),
    ...(uid === undefined ? {} : { uid }),
    ...(settings === undefined ? {} : { settings }),
  }
}
