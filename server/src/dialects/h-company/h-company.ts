import type { DialectApi } from '../../api/surface.ts'
import { hCompanyRoutes } from './routes.ts'
import { hCompanySurface } from './surface.ts'

/** The webhook API of H Company (dialects.md, section 3; `docs/dialects/h-company.md`). */
export const hCompany: DialectApi = {
  surface: hCompanySurface,
  prefixes: ['/api/v2'],
  routes: hCompanyRoutes,
  ownSubtrees: [],
}
