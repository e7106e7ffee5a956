import type { DialectApi } from '../../api/surface.ts'
import { devtuneRoutes } from './routes.ts'
import { devtuneSurface } from './surface.ts'

/** The webhook API of DevTune (dialects.md, section 4; `docs/dialects/devtune.md`). */
export const devtune: DialectApi = {
  surface: devtuneSurface,
  prefixes: ['/api/v2'],
  routes: devtuneRoutes,
  ownSubtrees: [],
}
