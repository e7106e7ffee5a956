import type { DialectApi } from '../../api/surface.ts'
import { composioRoutes } from './routes.ts'
import { composioSurface } from './surface.ts'
import type { ComposioVersion } from './version.ts'

/** The webhook API of Composio (dialects.md, section 2; `docs/dialects/composio.md`), old and new. */
export const composio: readonly DialectApi[] = [
  composioApi('/api/v3', { listLimitMax: 1000, readsShowSecrets: false }),
  composioApi('/api/v3.1', { listLimitMax: 50, readsShowSecrets: true }),
]

function composioApi(prefix: string, version: ComposioVersion): DialectApi {
  return {
    surface: composioSurface,
    prefixes: [prefix],
    routes: composioRoutes(version),
    ownSubtrees: ['/webhook_subscriptions/event_types'],
  }
}
