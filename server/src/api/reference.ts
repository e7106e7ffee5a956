import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import { errorsPage, errorsPageHeaders } from './errors-page.ts'
import type { OpenApiDocument } from './openapi.ts'
import { errorsPagePath } from './problem.ts'

const prefix = '/docs'

/**
 * Serves the human-readable reference at `/docs`, which loads nothing from elsewhere. Its viewer is
 * read from disk when somebody first looks: most servers are never asked.
 */
export function addReference(app: FastifyInstance, document: () => OpenApiDocument): void {
  const page = errorsPage()
  app.get(errorsPagePath, (_request, reply) => reply.headers(errorsPageHeaders).send(page))
  let viewer: Promise<FastifyInstance> | null = null

  async function show(request: FastifyRequest, reply: FastifyReply) {
    viewer ??= createViewer(document()).catch((error) => {
      viewer = null
      throw error
    })
    const shown = await viewer
    const answer = await shown.inject({ url: request.url, headers: request.headers })
    if (answer.statusCode === 404) return reply.callNotFound()
    // It speaks of a connection of its own.
    const { connection: _, ...headers } = answer.headers
    return reply.code(answer.statusCode).headers(headers).send(answer.rawPayload)
  }
  app.get(prefix, show)
  app.get(`${prefix}/*`, show)
}

async function createViewer(document: OpenApiDocument): Promise<FastifyInstance> {
  const [{ default: swagger }, { default: swaggerUi }] = await Promise.all([
    import('@fastify/swagger'),
    import('@fastify/swagger-ui'),
  ])
  const app = fastify()
  app.register(swagger, {
    mode: 'static',
    specification: { document: document as never },
  })
  app.register(swaggerUi, {
    routePrefix: prefix,
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
  await app.ready()
  return app
}
