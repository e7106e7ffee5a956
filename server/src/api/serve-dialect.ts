import type { FastifyInstance, HTTPMethods } from 'fastify'
import { AppError } from '../core/errors.ts'
import { type RouteServing, serveRoute } from './serve-route.ts'
import type { DialectApi, Surface } from './surface.ts'

const methods: readonly HTTPMethods[] = [
  ...(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const),
]

/**
 * Serves the API of another system under each of its prefixes. Every path that it has answers to
 * every method, so that what one system calls a word is never taken for another one's parameter.
 */
export function serveDialect(
  app: FastifyInstance,
  { surface, prefixes, routes, ownSubtrees }: DialectApi,
  serving: Omit<RouteServing, 'surface'>,
): void {
  for (const route of routes) {
    const paths = prefixes.map((prefix) => prefix + route.path)
    serveRoute(app, route, paths, { ...serving, surface })
  }
  for (const path of new Set(routes.map((route) => route.path))) {
    const served = routes.filter((route) => route.path === path).map(({ method }) => method)
    for (const prefix of prefixes) refuseOtherMethods(app, prefix + path, served, surface)
  }
  for (const subtree of ownSubtrees) {
    for (const prefix of prefixes) refuseUnknownPaths(app, `${prefix}${subtree}/*`)
  }
}

function refuseOtherMethods(
  app: FastifyInstance,
  url: string,
  served: readonly HTTPMethods[],
  surface: Surface,
): void {
  const allowed = served.includes('GET') ? ['HEAD', ...served] : served
  app.route({
    method: methods.filter((method) => !allowed.includes(method)),
    url,
    config: { surface, isRefusal: true },
    onRequest(_request, reply) {
      reply.header('allow', served.join(', '))
      throw new AppError('method_not_allowed', { detail: `This path takes ${served.join(', ')}.` })
    },
    handler: () => undefined,
  })
}

function refuseUnknownPaths(app: FastifyInstance, url: string): void {
  app.route({
    method: [...methods],
    url,
    config: { isRefusal: true },
    onRequest() {
      throw new AppError('not_found', { detail: 'There is no such path.' })
    },
    handler: () => undefined,
  })
}
