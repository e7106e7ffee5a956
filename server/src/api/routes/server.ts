import { AppError } from '../../core/errors.ts'
import { jsonAnswer } from '../answer.ts'
import { plainRoute, type Route } from '../route.ts'
import { Type } from '../wire/type.ts'

export const StatusSchema = Type.Object(
  { status: Type.Literal('ok') },
  { $id: 'Status', additionalProperties: false },
)

export const serverRoutes: readonly Route[] = [
  plainRoute({
    method: 'GET',
    path: '/healthz',
    name: 'checkHealth',
    summary: 'Whether the process is alive',
    tag: 'Server',
    access: 'open',
    answers: { 200: StatusSchema },
    answer: () => jsonAnswer(200, { status: 'ok' }),
  }),
  plainRoute({
    method: 'GET',
    path: '/readyz',
    name: 'checkReadiness',
    summary: 'Whether requests can be served',
    description: 'The store can be read and written, and its migrations are current.',
    tag: 'Server',
    access: 'open',
    answers: { 200: StatusSchema },
    refusals: ['storage_unavailable'],
    async answer({ context }) {
      try {
        await context.storage.ping()
      } catch (cause) {
        throw new AppError('storage_unavailable', { detail: 'The store is not ready.', cause })
      }
      return jsonAnswer(200, { status: 'ok' })
    },
  }),
  plainRoute({
    method: 'GET',
    path: '/metrics',
    name: 'readMetrics',
    summary: 'Metrics for Prometheus',
    tag: 'Server',
    access: 'root',
    answers: { 200: { contentType: 'text/plain', description: 'Prometheus text format.' } },
    async answer({ server }) {
      const { contentType } = server.metrics
      return { status: 200, contentType, text: await server.metrics.render() }
    },
  }),
  plainRoute({
    method: 'GET',
    path: '/openapi.json',
    name: 'readOpenApi',
    summary: 'This document',
    tag: 'Server',
    access: 'open',
    answers: { 200: { contentType: 'application/json', description: 'OpenAPI 3.1.' } },
    answer: ({ server }) => ({ status: 200, text: server.openApiText() }),
  }),
]
