import type { FastifyContextConfig, FastifyInstance } from 'fastify'
import type { Surface } from './surface.ts'

/** The paths that are served, for answers to requests that reach no route. */
export interface KnownPaths {
  /** Which methods a path takes; none: there is no such path. */
  methodsOf(path: string): string[]
  /** Whose path it is, also where a segment of it cannot be a parameter; null: nobody's. */
  surfaceOf(path: string): Surface | null
}

/** Learns of every route that is added from now on. */
export function watchPaths(app: FastifyInstance): KnownPaths {
  const known: {
    pattern: RegExp
    method: string
    parameterCount: number
    surface: Surface | null
  }[] = []
  app.addHook('onRoute', ({ url, method, config }) => {
    const { isRefusal, surface = null } = (config ?? {}) as FastifyContextConfig
    // Preflights are answered everywhere, which makes no path of what is none.
    if (isRefusal || url === '*') return
    const source = url
      .replaceAll(/[.+?^$()[\]{}|\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll(/:\w+/g, '[^/]+')
    const pattern = new RegExp(`^${source}$`)
    const parameterCount = url.split(/[:*]/).length - 1
    for (const each of [method].flat()) {
      known.push({ pattern, method: each, parameterCount, surface })
    }
  })
  const matches = (path: string) => {
    const matching = known.filter(({ pattern }) => pattern.test(path))
    // A path of fixed words is no value of another one's parameter.
    const fewest = Math.min(...matching.map(({ parameterCount }) => parameterCount))
    return matching.filter(({ parameterCount }) => parameterCount === fewest)
  }
  return {
    methodsOf: (path) => [...new Set(matches(path).map(({ method }) => method))],
    surfaceOf: (path) => matches(path)[0]?.surface ?? null,
  }
}
