import { createProject } from '../../actions/create-project.ts'
import { deleteProject } from '../../actions/delete-project.ts'
import { loadProject } from '../../actions/load.ts'
import { uidProblem } from '../../actions/project-uid.ts'
import { type UpdateProjectInput, updateProject } from '../../actions/update-project.ts'
import type { FieldError } from '../../core/errors.ts'
import { emptyAnswer, jsonAnswer } from '../answer.ts'
import { jsonBody } from '../request-body.ts'
import { plainRoute, postRoute, type Route } from '../route.ts'
import { listQuery, pageOf, pageRequest, presentPage } from '../wire/page.ts'
import {
  CreateProjectSchema,
  ProjectSchema,
  presentProject,
  readSettings,
  settingsProblems,
  UpdateProjectSchema,
} from '../wire/project.ts'
import { ProjectStatsSchema, presentStats, readStatsQuery, statsQuery } from '../wire/stats.ts'

export const ProjectPageSchema = pageOf(ProjectSchema, 'ProjectPage')

export const projectRoutes: readonly Route[] = [
  postRoute({
    method: 'POST',
    path: '/v1/projects',
    name: 'createProject',
    summary: 'Create a project',
    tag: 'Projects',
    access: 'root',
    body: jsonBody(CreateProjectSchema, projectProblems),
    answers: { 201: ProjectSchema },
    refusals: ['uid_taken'],
    act: ({ context, body }) =>
      createProject(context, {
        name: body.name,
        uid: body.uid ?? null,
        settings: readSettings(body.settings ?? {}),
      }),
    present: (project) => jsonAnswer(201, presentProject(project)),
  }),
  plainRoute({
    method: 'GET',
    path: '/v1/projects',
    name: 'listProjects',
    summary: 'List projects',
    tag: 'Projects',
    access: 'root',
    query: listQuery(),
    answers: { 200: ProjectPageSchema },
    async answer({ context, query }) {
      const page = await context.storage.listProjects(pageRequest(query))
      return jsonAnswer(200, presentPage(page, presentProject))
    },
  }),
  plainRoute({
    method: 'GET',
    path: '/v1/projects/:project',
    name: 'getProject',
    summary: 'Read a project',
    description: 'Any key of the project may read it.',
    tag: 'Projects',
    access: 'member',
    answers: { 200: ProjectSchema },
    async answer({ context, params }) {
      const project = await loadProject(context.storage, params.project)
      return jsonAnswer(200, presentProject(project))
    },
  }),
  plainRoute({
    method: 'GET',
    path: '/v1/projects/:project/stats',
    name: 'getProjectStats',
    summary: 'Count what became of a project’s deliveries',
    description: 'Of all its endpoints together, deleted ones included.',
    tag: 'Projects',
    access: 'deliveries.read',
    query: statsQuery,
    answers: { 200: ProjectStatsSchema },
    async answer({ context, params, query }) {
      const { storage, clock } = context
      const project = await loadProject(storage, params.project)
      const request = readStatsQuery(query, clock.now())
      return jsonAnswer(
        200,
        presentStats(await storage.deliveryStats(project.id, request), request),
      )
    },
  }),
  plainRoute({
    method: 'PATCH',
    path: '/v1/projects/:project',
    name: 'updateProject',
    summary: 'Change a project',
    tag: 'Projects',
    access: 'root',
    body: jsonBody(UpdateProjectSchema, projectProblems),
    answers: { 200: ProjectSchema },
    refusals: ['uid_taken'],
    async answer({ context, params, body }) {
      const input: UpdateProjectInput = {}
      if (body.name !== undefined) input.name = body.name
      if (body.uid !== undefined) input.uid = body.uid
      if (body.settings !== undefined) input.settings = readSettings(body.settings)
      return jsonAnswer(200, presentProject(await updateProject(context, params.project, input)))
    },
  }),
  plainRoute({
    method: 'DELETE',
    path: '/v1/projects/:project',
    name: 'deleteProject',
    summary: 'Delete a project',
    description: 'Its keys and endpoints are gone with it; pending deliveries fail.',
    tag: 'Projects',
    access: 'root',
    answers: { 204: null },
    async answer({ context, params }) {
      await deleteProject(context, params.project)
      return emptyAnswer
    },
  }),
]

function projectProblems(body: unknown): FieldError[] {
  const { uid, settings } = body as { uid?: unknown; settings?: unknown }
  const detail = typeof uid === 'string' ? uidProblem(uid) : null
  const problems = settingsProblems(settings)
  if (detail !== null) problems.push({ param: 'uid', detail, code: 'invalid_value' })
  return problems
}
