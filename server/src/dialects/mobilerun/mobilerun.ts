import type { DialectApi } from '../../api/surface.ts'
import { mobilerunRoutes } from './routes.ts'
import { mobilerunSurface } from './surface.ts'

/** The webhook API of Mobilerun (dialects.md, section 1; `docs/dialects/mobilerun.md`). */
export const mobilerun: DialectApi = {
  surface: mobilerunSurface,
  // Its documents name the paths at the root; its clients put /v1 before them.
  prefixes: ['', '/v1'],
  routes: mobilerunRoutes,
  ownSubtrees: ['/webhooks/deliveries'],
}
