import type { Static } from 'typebox'
import { type DefineEventTypeInput, defineEventType } from '../../actions/define-event-type.ts'
import { deleteEventType } from '../../actions/delete-event-type.ts'
import { effectiveEventType } from '../../actions/effective-event-type.ts'
import { missing } from '../../actions/load.ts'
import { emptyAnswer, jsonAnswer } from '../answer.ts'
import { jsonBody } from '../request-body.ts'
import { plainRoute, type Route } from '../route.ts'
import { DefineEventTypeSchema, EventTypeSchema, presentEventType } from '../wire/event-type.ts'
import { listQuery, pageOf, pageRequest, presentPage } from '../wire/page.ts'

export const EventTypePageSchema = pageOf(EventTypeSchema, 'EventTypePage')

const catalogPath = '/v1/catalog/event-types'
const projectPath = '/v1/projects/:project/event-types'

export const eventTypeRoutes: readonly Route[] = [
  plainRoute({
    method: 'PUT',
    path: `${catalogPath}/:name`,
    name: 'defineCatalogEventType',
    summary: 'Define an event type for all projects',
    tag: 'Event types',
    access: 'root',
    body: jsonBody(DefineEventTypeSchema),
    answers: { 200: EventTypeSchema },
    answer: async ({ context, params, body }) =>
      jsonAnswer(
        200,
        presentEventType(await defineEventType(context, null, params.name, readDefinition(body))),
      ),
  }),
  plainRoute({
    method: 'GET',
    path: catalogPath,
    name: 'listCatalogEventTypes',
    summary: 'List the catalogue',
    tag: 'Event types',
    access: 'root',
    query: listQuery(),
    answers: { 200: EventTypePageSchema },
    async answer({ context, query }) {
      const page = await context.storage.listEventTypes(null, pageRequest(query))
      return jsonAnswer(200, presentPage(page, presentEventType))
    },
  }),
  plainRoute({
    method: 'GET',
    path: `${catalogPath}/:name`,
    name: 'getCatalogEventType',
    summary: 'Read an event type of the catalogue',
    tag: 'Event types',
    access: 'root',
    answers: { 200: EventTypeSchema },
    async answer({ context, params }) {
      const definition = await context.storage.getEventType(null, params.name)
      return jsonAnswer(200, presentEventType(definition ?? missing('event type', params.name)))
    },
  }),
  plainRoute({
    method: 'DELETE',
    path: `${catalogPath}/:name`,
    name: 'deleteCatalogEventType',
    summary: 'Take an event type out of the catalogue',
    description: 'Events of this type are still accepted; their data is no longer checked.',
    tag: 'Event types',
    access: 'root',
    answers: { 204: null },
    async answer({ context, params }) {
      await deleteEventType(context, null, params.name)
      return emptyAnswer
    },
  }),
  plainRoute({
    method: 'PUT',
    path: `${projectPath}/:name`,
    name: 'defineEventType',
    summary: 'Define an event type for one project',
    description: "Stands over the catalogue's definition of the same name.",
    tag: 'Event types',
    access: 'webhooks.write',
    body: jsonBody(DefineEventTypeSchema),
    answers: { 200: EventTypeSchema },
    answer: async ({ context, params, body }) =>
      jsonAnswer(
        200,
        presentEventType(
          await defineEventType(context, params.project, params.name, readDefinition(body)),
        ),
      ),
  }),
  plainRoute({
    method: 'GET',
    path: projectPath,
    name: 'listEventTypes',
    summary: "List a project's own event types",
    description:
      'Those of the catalogue hold as well, where the project has none of the same name.',
    tag: 'Event types',
    access: 'webhooks.read',
    query: listQuery(),
    answers: { 200: EventTypePageSchema },
    async answer({ context, params, query }) {
      const page = await context.storage.listEventTypes(params.project, pageRequest(query))
      return jsonAnswer(200, presentPage(page, presentEventType))
    },
  }),
  plainRoute({
    method: 'GET',
    path: `${projectPath}/:name`,
    name: 'getEventType',
    summary: 'Read the definition in force in a project',
    description: "The project's own, else the catalogue's.",
    tag: 'Event types',
    access: 'webhooks.read',
    answers: { 200: EventTypeSchema },
    async answer({ context, params }) {
      const { storage } = context
      const definition = await effectiveEventType(storage, params.project, params.name)
      return jsonAnswer(200, presentEventType(definition ?? missing('event type', params.name)))
    },
  }),
  plainRoute({
    method: 'DELETE',
    path: `${projectPath}/:name`,
    name: 'deleteEventType',
    summary: "Delete a project's own definition",
    description: "The catalogue's holds again, if it has one.",
    tag: 'Event types',
    access: 'webhooks.write',
    answers: { 204: null },
    async answer({ context, params }) {
      await deleteEventType(context, params.project, params.name)
      return emptyAnswer
    },
  }),
]

function readDefinition(body: Static<typeof DefineEventTypeSchema>): DefineEventTypeInput {
  return {
    description: body.description,
    schema: body.schema === undefined || body.schema === null ? null : JSON.stringify(body.schema),
    isDeprecated: body.deprecated,
  }
}
