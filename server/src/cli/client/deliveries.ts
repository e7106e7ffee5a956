import type { Delivery, ListDeliveriesQuery } from '@countersign/sdk'
import type { Command, Option } from 'commander'
import type { CommandContext } from '../command-context.ts'
import { choice, option, timeBefore, words } from '../options.ts'
import { createProgressBar } from '../progress-bar.ts'
import { UsageError } from '../usage-error.ts'
import { type ClientSession, clientCommand } from './client-command.ts'
import { commandGroup } from './command-group.ts'
import { listCommand } from './list-command.ts'
import type { Column } from './output.ts'

type Filter = Omit<ListDeliveriesQuery, 'limit' | 'cursor'>

const statuses = ['pending', 'delivered', 'failed', 'skipped']
const columns: readonly Column<Delivery>[] = [
  { title: 'id', of: ({ id }) => id },
  { title: 'status', of: ({ status }) => status },
  { title: 'type', of: ({ eventType }) => eventType },
  { title: 'endpoint', of: ({ endpointId }) => endpointId },
  { title: 'attempts', of: ({ attemptCount }) => attemptCount },
  { title: 'answer', of: ({ lastStatusCode, lastError }) => lastStatusCode ?? lastError },
  { title: 'created', of: ({ createdAt }) => createdAt },
]

/** `countersign deliveries`: events on their way to endpoints. */
export const deliveriesCommand = commandGroup('deliveries', 'events on their way to endpoints', [
  (context) =>
    listCommand<Delivery, Filter>(context, {
      description: 'list deliveries',
      options: filterOptions(context),
      examples: [
        ['countersign deliveries list --status failed --since 24h'],
        ['countersign deliveries list --endpoint billing --event-type order.paid --json'],
      ],
      columns,
      list: ({ client, project }, _args, { limit, ...rest }) =>
        client.deliveries.list(project, { ...filterOf(rest), limit }),
    }),
  (context) =>
    clientCommand(context, {
      name: 'show',
      description: 'show a delivery with each attempt, as sent and as answered',
      args: { '<delivery>': 'its id' },
      examples: [['countersign deliveries show dlv_… --json']],
      async run({ client, project, output }, [id = '']) {
        output.show(await client.deliveries.get(project, id))
      },
    }),
  retryCommand,
  recoverCommand,
])

function retryCommand(context: CommandContext): Command {
  return clientCommand<Filter & { dryRun?: boolean }>(context, {
    name: 'retry',
    description: 'send deliveries again now, by id or all that fit the filter',
    args: { '[deliveries...]': 'their ids' },
    options: [...filterOptions(context), option('--dry-run', 'only list what would be sent')],
    examples: [
      ['countersign deliveries retry dlv_…'],
      ['countersign deliveries retry --since 24h --status failed --dry-run'],
      ['countersign deliveries retry --since 24h --status failed --endpoint billing'],
    ],
    async run(session, ids, { dryRun, ...rest }) {
      const { client, project, output } = session
      const chosen = ids.length > 0 ? ids.map((id) => ({ id })) : await fitting(session, rest)
      if (dryRun) {
        const found = await Promise.all(chosen.map((delivery) => wholeOf(session, delivery)))
        output.list(found, columns)
        output.say(`${found.length} would be sent again. Nothing was done.`)
        return
      }
      const bar = createProgressBar(context.stderr, 'Sending again')
      const sent: Delivery[] = []
      for (const { id } of chosen) {
        sent.push(await client.deliveries.retry(project, id))
        if (chosen.length > 1) bar.update(sent.length, chosen.length)
      }
      if (chosen.length > 1) bar.end()
      output.list(sent, columns)
    },
  })
}

/** All of them before the first is sent: what is sent again is listed under another status then. */
async function fitting(
  { client, project }: ClientSession,
  rest: Filter,
): Promise<readonly Delivery[]> {
  const filter = filterOf(rest)
  if (filter.since === undefined && filter.event === undefined) {
    throw new UsageError('Name deliveries, or bound them with --since or --event.')
  }
  const found: Delivery[] = []
  for await (const delivery of client.deliveries.list(project, { ...filter, limit: 100 })) {
    found.push(delivery)
    if (found.length > retryMax) {
      throw new UsageError(
        `More than ${retryMax} deliveries fit. countersign deliveries recover takes any number.`,
      )
    }
  }
  return found
}

/** More are for `recover`, which is one call an endpoint. */
const retryMax = 10_000

function wholeOf({ client, project }: ClientSession, delivery: Delivery | { id: string }) {
  return 'status' in delivery ? delivery : client.deliveries.get(project, delivery.id)
}

function recoverCommand(context: CommandContext): Command {
  return clientCommand<{
    since: Date
    until?: Date
    status: string[]
    endpoint?: string
    dryRun?: boolean
  }>(context, {
    name: 'recover',
    description: 'send again what endpoints missed in a span of time, in any number',
    options: [
      option('--since <time>', 'a time, or how long ago', before(context)).makeOptionMandatory(),
      option('--until <time>', 'now where absent', before(context)),
      option('--status <statuses>', 'failed, skipped or both', words).default(['failed']),
      option('--endpoint <endpoint>', 'id or uid; every active endpoint where absent'),
      option('--dry-run', 'only count what would be sent'),
    ],
    examples: [
      ['countersign deliveries recover --since 24h --status failed --dry-run'],
      ['countersign deliveries recover --since 24h --endpoint billing'],
      ['countersign deliveries recover --since 7d --until 1h --status failed,skipped'],
    ],
    async run(session, _args, { since, until, status, endpoint, dryRun }) {
      const statuses = status.map((word) => {
        if (word === 'failed' || word === 'skipped') return word
        throw new UsageError('--status takes failed, skipped, or both with a comma between.')
      })
      const { client, project, output } = session
      const rows: { endpoint: string; deliveryCount: number }[] = []
      for (const id of await endpointsOf(session, endpoint)) {
        const deliveryCount = dryRun
          ? await countOf(session, id, { since, until, statuses })
          : (await client.endpoints.recover(project, id, { since, until, statuses })).deliveryCount
        if (deliveryCount > 0 || endpoint !== undefined) rows.push({ endpoint: id, deliveryCount })
      }
      output.list(rows, [
        { title: 'endpoint', of: (row) => row.endpoint },
        { title: 'deliveries', of: ({ deliveryCount }) => deliveryCount },
      ])
      if (dryRun) output.say('Nothing was done.')
    },
  })
}

async function endpointsOf(
  { client, project }: ClientSession,
  endpoint: string | undefined,
): Promise<string[]> {
  if (endpoint !== undefined) return [endpoint]
  const ids: string[] = []
  const active = client.endpoints.list(project, { state: 'active', limit: 100 })
  for await (const { id } of active) ids.push(id)
  return ids
}

async function countOf(
  { client, project }: ClientSession,
  endpoint: string,
  span: { since: Date; until: Date | undefined; statuses: readonly ('failed' | 'skipped')[] },
): Promise<number> {
  let found = 0
  const { since, until } = span
  for (const status of span.statuses) {
    const query = { endpoint, status, since, until, limit: 100 }
    for await (const page of client.deliveries.list(project, query).pages()) {
      found += page.data.length
    }
  }
  return found
}

function filterOptions(context: CommandContext): Option[] {
  return [
    choice('--status <status>', 'what became of it', statuses),
    option('--since <time>', 'created then or later: a time, or how long ago', before(context)),
    option('--until <time>', 'created before', before(context)),
    option('--endpoint <endpoint>', 'id or uid'),
    option('--event <event>', 'id of an event'),
    option('--event-type <type>', 'such as order.paid'),
  ]
}

/** The session's own options are among them, so only what the API takes is passed on. */
function filterOf({ status, since, until, endpoint, event, eventType }: Filter): Filter {
  return { status, since, until, endpoint, event, eventType }
}

function before({ clock }: CommandContext) {
  return timeBefore(clock.now)
}
