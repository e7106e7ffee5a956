import type { Command } from 'commander'
import type { CommandContext } from '../command-context.ts'
import { keysCommand } from './api-keys.ts'
import { auditCommand } from './audit.ts'
import { campaignsCommand } from './campaigns.ts'
import { claimsCommand } from './claims.ts'
import { deliveriesCommand } from './deliveries.ts'
import { endpointsCommand } from './endpoints.ts'
import { eventTypesCommand } from './event-types.ts'
import { eventsCommand } from './events.ts'
import { fleetCommand } from './fleet.ts'
import { listenCommand } from './listen.ts'
import { portalSessionsCommand } from './portal-sessions.ts'
import { profilesCommand } from './profile-commands.ts'
import { projectsCommand } from './projects.ts'
import { webhooksCommand } from './rotate-secret.ts'
import { rotationsCommand } from './rotations.ts'
import { secretsCommand } from './secrets.ts'
import { statusCommand } from './server-status.ts'
import { triggerCommand } from './trigger.ts'

/** Commands that reach a server, in the order of the help. */
export const clientCommands: readonly ((context: CommandContext) => Command)[] = [
  ...[profilesCommand, statusCommand, projectsCommand, endpointsCommand, webhooksCommand],
  ...[secretsCommand, rotationsCommand, claimsCommand, eventsCommand, deliveriesCommand],
  ...[listenCommand, triggerCommand],
  ...[eventTypesCommand, keysCommand, portalSessionsCommand, auditCommand],
  ...[fleetCommand, campaignsCommand],
]
