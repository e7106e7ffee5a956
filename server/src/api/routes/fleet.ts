import type { ActionContext } from '../../actions/action-context.ts'
import { invalidField } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { secretAlgorithms } from '../../core/secret.ts'
import { jsonAnswer } from '../answer.ts'
import { plainRoute, type Route } from '../route.ts'
import { oneOf, text } from '../wire/fields.ts'
import { blockerField, FleetEntrySchema, presentFleetEntry } from '../wire/fleet.ts'
import { listQuery, pageOf, pageRequest, presentPage } from '../wire/page.ts'
import { Type } from '../wire/type.ts'

export const FleetPageSchema = pageOf(FleetEntrySchema, 'FleetPage', 'The oldest secret first.')

const DAY_MS = 86_400_000

export const fleetRoutes: readonly Route[] = [
  plainRoute({
    method: 'GET',
    path: '/v1/fleet',
    name: 'listFleet',
    summary: 'List the endpoints of all projects by the age of their secrets',
    description:
      'With the policy in force, the open rotation, and what keeps each from being done with. A filter that holds for few endpoints reads many.',
    tag: 'Fleet',
    access: 'root',
    query: listQuery({
      project: Type.Optional(text(limits.uidLengthMax, 'Id or uid of a project.')),
      algorithm: Type.Optional(oneOf(secretAlgorithms)),
      older_than_days: Type.Optional(
        Type.Integer({ minimum: 0, maximum: limits.secretAgeMaxDays }),
      ),
      blocker: Type.Optional(blockerField),
    }),
    answers: { 200: FleetPageSchema },
    async answer({ context, query }) {
      const { settings, storage } = context
      const now = context.clock.now()
      const { project, algorithm, older_than_days: days, blocker } = query
      const page = await storage.listFleet(
        {
          now,
          defaultMaxAgeDays: settings.secretPolicy.maxAgeDays,
          ...(project === undefined ? {} : { projectIds: [await projectIdOf(context, project)] }),
          ...(algorithm === undefined ? {} : { algorithm }),
          ...(days === undefined ? {} : { createdUntil: now - days * DAY_MS }),
          ...(blocker === undefined ? {} : { blocker }),
        },
        pageRequest(query),
      )
      return jsonAnswer(
        200,
        presentPage(page, (entry) => presentFleetEntry(entry, settings.secretPolicy, now)),
      )
    },
  }),
]

/** An unknown one is refused: an empty fleet would look like one with nothing to do. */
async function projectIdOf({ storage }: ActionContext, ref: string): Promise<string> {
  const project = await storage.getProject(ref)
  if (project === null) throw invalidField('project', 'There is no such project.')
  return project.id
}
