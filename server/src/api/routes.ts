import type { Route } from './route.ts'
import { apiKeyRoutes } from './routes/api-keys.ts'
import { auditLogRoutes } from './routes/audit-log.ts'
import { campaignRoutes } from './routes/campaigns.ts'
import { claimLinkRoutes } from './routes/claim-links.ts'
import { deliveryRoutes } from './routes/deliveries.ts'
import { endpointRoutes } from './routes/endpoints.ts'
import { eventTypeRoutes } from './routes/event-types.ts'
import { eventRoutes } from './routes/events.ts'
import { fleetRoutes } from './routes/fleet.ts'
import { keySetRoutes } from './routes/key-sets.ts'
import { portalSessionRoutes } from './routes/portal-sessions.ts'
import { projectRoutes } from './routes/projects.ts'
import { recoveryRoutes } from './routes/recovery.ts'
import { rotationRoutes } from './routes/rotations.ts'
import { secretRoutes } from './routes/secrets.ts'
import { serverRoutes } from './routes/server.ts'
import { streamRoutes } from './routes/stream.ts'

/** Every route of the native API, in the order of the reference. */
export const routes: readonly Route[] = [
  ...projectRoutes,
  ...apiKeyRoutes,
  ...portalSessionRoutes,
  ...eventTypeRoutes,
  ...endpointRoutes,
  ...recoveryRoutes,
  ...secretRoutes,
  ...keySetRoutes,
  ...rotationRoutes,
  ...claimLinkRoutes,
  ...fleetRoutes,
  ...campaignRoutes,
  ...eventRoutes,
  ...deliveryRoutes,
  ...streamRoutes,
  ...auditLogRoutes,
  ...serverRoutes,
]
