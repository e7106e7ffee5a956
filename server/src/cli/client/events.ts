import { type BatchError, type EventSummary, type PublishEvent, rawJson } from '@countersign/sdk'
import type { Command } from 'commander'
import type { CommandContext } from '../command-context.ts'
import { exitCodes } from '../exit-codes.ts'
import { jsonObject, option, readInput, time } from '../options.ts'
import { createProgressBar } from '../progress-bar.ts'
import { UsageError } from '../usage-error.ts'
import { clientCommand } from './client-command.ts'
import { commandGroup } from './command-group.ts'
import { listCommand } from './list-command.ts'

const event = { '<event>': 'its id' }
/** Most events that one call takes. */
const batchMax = 1000

/** `countersign events`: what happened, to be delivered. */
export const eventsCommand = commandGroup('events', 'what happened, to be delivered', [
  publishCommand,
  publishBatchCommand,
  (context) =>
    listCommand<EventSummary>(context, {
      description: 'list events',
      examples: [['countersign events list --limit 100']],
      columns: [
        { title: 'id', of: ({ id }) => id },
        { title: 'type', of: ({ type }) => type },
        { title: 'created', of: ({ createdAt }) => createdAt },
        { title: 'deliveries', of: ({ deliveryCount }) => deliveryCount },
      ],
      list: ({ client, project }, _args, { limit }) => client.events.list(project, { limit }),
    }),
  (context) =>
    clientCommand(context, {
      name: 'show',
      description: 'show an event with its data',
      args: event,
      examples: [['countersign events show evt_… --json']],
      async run({ client, project, output }, [id = '']) {
        output.show(await client.events.get(project, id))
      },
    }),
  (context) =>
    clientCommand(context, {
      name: 'expunge',
      description: 'remove what an event said, for good',
      args: event,
      examples: [['countersign events expunge evt_…']],
      async run({ client, project, output }, [id = '']) {
        await client.events.expunge(project, id)
        output.say(`What ${id} said is removed.`)
      },
    }),
])

interface PublishOptions {
  data?: string
  dataFrom?: string
  id?: string
  timestamp?: Date
  metadata?: Record<string, unknown>
}

function publishCommand(context: CommandContext): Command {
  return clientCommand<PublishOptions>(context, {
    name: 'publish',
    description: 'publish an event; once it is answered, the event and its deliveries are durable',
    args: { '<type>': 'such as order.paid' },
    options: [
      option('--data <json>', 'a JSON object, delivered byte for byte; {} where absent'),
      option('--data-from <file>', 'the same from a file; - is standard input'),
      option('--id <id>', 'yours: the same id again publishes nothing'),
      option('--timestamp <time>', 'when it happened; now where absent', time),
      option('--metadata <json>', 'yours', jsonObject),
    ],
    examples: [
      [`countersign events publish order.paid --data '{"order":"1001","total":4200}'`],
      ['countersign events publish order.paid --data-from order.json --id order-1001'],
      [`echo '{"order":7}' | countersign events publish order.paid --data-from -`],
    ],
    async run({ client, project, output }, [type = ''], options) {
      const { id, timestamp, metadata } = options
      const data = rawJson(await dataTextOf(context, options))
      output.show(await client.events.publish(project, { type, data, id, timestamp, metadata }))
    },
  })
}

/** The text itself, so that what is signed and sent is what was written. */
async function dataTextOf(
  context: CommandContext,
  { data, dataFrom }: PublishOptions,
): Promise<string> {
  if (data !== undefined && dataFrom !== undefined) {
    throw new UsageError('Give --data or --data-from, not both.')
  }
  const text =
    dataFrom === undefined ? (data ?? '{}') : (await readInput(context, dataFrom)).toString('utf8')
  try {
    jsonObject(text)
  } catch (cause) {
    throw new UsageError('What the event carries must be a JSON object.', { cause })
  }
  return text
}

function publishBatchCommand(context: CommandContext): Command {
  return clientCommand(context, {
    name: 'publish-batch',
    description:
      'publish many events: JSON lines, each with type, data and what else the API takes',
    args: { '<file>': 'where the lines are; - is standard input' },
    examples: [['countersign events publish-batch events.jsonl']],
    async run({ client, project, output }, [file = '']) {
      const events = readEvents((await readInput(context, file)).toString('utf8'))
      const bar = createProgressBar(context.stderr, 'Publishing')
      const refused: { line: number; error: BatchError }[] = []
      for (let from = 0; from < events.length; from += batchMax) {
        const batch = events.slice(from, from + batchMax)
        for (const { index, error } of await client.events.publishBatch(project, batch)) {
          if (error) refused.push({ line: from + index + 1, error })
        }
        bar.update(from + batch.length, events.length)
      }
      bar.end()
      for (const { line, error } of refused) {
        output.warn(`Event ${line}: ${error.detail ?? error.code}`)
        for (const { param, detail } of error.errors ?? []) output.warn(`  ${param}: ${detail}`)
      }
      output.show({ published: events.length - refused.length, refused: refused.length })
      return refused.length === 0 ? exitCodes.ok : exitCodes.failure
    },
  })
}

function readEvents(text: string): PublishEvent[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  return lines.map((line, index) => {
    try {
      return jsonObject(line) as unknown as PublishEvent
    } catch (cause) {
      throw new UsageError(`Event ${index + 1} is not a JSON object on one line.`, { cause })
    }
  })
}
