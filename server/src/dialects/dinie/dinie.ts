import type { DialectApi } from '../../api/surface.ts'
import { dinieRoutes, dinieTokenRoute } from './routes.ts'
import { dinieSurface, dinieTokenSurface } from './surface.ts'
import { epochTimes, textTimes } from './times.ts'

/**
 * The webhook API of Dinie (dialects.md, section 5; `docs/dialects/dinie.md`). Its documents write
 * times as texts, its clients read numbers, each under prefixes of their own.
 */
export const dinie: readonly DialectApi[] = [
  {
    surface: dinieTokenSurface,
    prefixes: ['', '/v3', '/api/v3'],
    routes: [dinieTokenRoute],
    ownSubtrees: [],
  },
  {
    surface: dinieSurface,
    prefixes: ['', '/v3'],
    routes: dinieRoutes(textTimes),
    ownSubtrees: ['/webhooks/endpoints'],
  },
  {
    surface: dinieSurface,
    prefixes: ['/api/v3'],
    routes: dinieRoutes(epochTimes),
    ownSubtrees: ['/webhooks/endpoints'],
  },
]
