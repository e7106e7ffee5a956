import fastifySwagger from '@fastify/swagger'
import fastifySwaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { errorsPage, errorsPageHeaders } from './errors-page.ts'
import type { OpenApiDocument } from './openapi.ts'
import { errorsPagePath } from './problem.ts'

/** Serves the human-readable reference at `/docs`, which loads nothing from elsewhere. */
export function addReference(app: FastifyInstance, document: OpenApiDocument): void {
  const page = errorsPage()
  app.get(errorsPagePath, (_request, reply) => reply.headers(errorsPageHeaders).send(page))
  app.register(fastifySwagger, {
    mode: 'static',
    specification: { document: document as never },
  })
  app.register(fastifySwaggerUi, {
    routePrefix: '/docs',
    uiConfig: { docExpansion: 'list', deepLinking: true, persistAuthorization: false },
    theme: { title: 'Countersign API' },
    staticCSP: {
      'default-src': "'self'",
      'img-src': "'self' data:",
      // The reference styles its elements inline.
      'style-src': "'self' 'unsafe-inline'",
      'base-uri': "'none'",
      'object-src': "'none'",
      'frame-ancestors': "'none'",
    },
  })
}
