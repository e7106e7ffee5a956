import { lazy, Suspense } from 'react'
import { Redirect, Route, Switch } from 'wouter'
import { Empty } from './kit/card.tsx'
import { PageFrame } from './kit/page.tsx'
import { Skeleton } from './kit/skeleton.tsx'
import { EndpointPage } from './pages/endpoint.tsx'
import { EndpointsPage } from './pages/endpoints.tsx'
import { OverviewPage } from './pages/overview.tsx'
import { ProjectsPage } from './pages/projects.tsx'
import { RotationPage } from './pages/rotation.tsx'
import { useSession } from './session.ts'
import { Shell } from './shell.tsx'

// Not needed for the first page, so not in the first script.
const DeliveriesPage = lazy(async () => {
  const { DeliveriesPage } = await import('./pages/deliveries.tsx')
  return { default: DeliveriesPage }
})
const DeliveryPage = lazy(async () => {
  const { DeliveryPage } = await import('./pages/delivery.tsx')
  return { default: DeliveryPage }
})
const EventsPage = lazy(async () => {
  const { EventsPage } = await import('./pages/events.tsx')
  return { default: EventsPage }
})
const EventPage = lazy(async () => {
  const { EventPage } = await import('./pages/event.tsx')
  return { default: EventPage }
})
const EventTypesPage = lazy(async () => {
  const { EventTypesPage } = await import('./pages/event-types.tsx')
  return { default: EventTypesPage }
})
const ApiKeysPage = lazy(async () => {
  const { ApiKeysPage } = await import('./pages/api-keys.tsx')
  return { default: ApiKeysPage }
})
const AuditLogPage = lazy(async () => {
  const { AuditLogPage } = await import('./pages/audit-log.tsx')
  return { default: AuditLogPage }
})
const ProjectSettingsPage = lazy(async () => {
  const { ProjectSettingsPage } = await import('./pages/project-settings.tsx')
  return { default: ProjectSettingsPage }
})
const LivePage = lazy(async () => {
  const { LivePage } = await import('./pages/live.tsx')
  return { default: LivePage }
})
const FleetPage = lazy(async () => {
  const { FleetPage } = await import('./pages/fleet.tsx')
  return { default: FleetPage }
})
const CampaignPage = lazy(async () => {
  const { CampaignPage } = await import('./pages/campaign.tsx')
  return { default: CampaignPage }
})

/** Every address of the console and the page that stands there. */
export function Pages() {
  const { project } = useSession()
  return (
    <Shell>
      <Suspense fallback={<Skeleton rows={6} />}>
        <Switch>
          <Route path="/">
            {project === null ? <ProjectsPage /> : <Redirect to={`/projects/${project}`} />}
          </Route>
          <Route path="/projects/:project" component={OverviewPage} />
          <Route path="/projects/:project/endpoints" component={EndpointsPage} />
          <Route path="/projects/:project/endpoints/:endpoint" component={EndpointPage} />
          <Route
            path="/projects/:project/endpoints/:endpoint/rotations/:rotation"
            component={RotationPage}
          />
          <Route path="/projects/:project/deliveries" component={DeliveriesPage} />
          <Route path="/projects/:project/deliveries/:delivery" component={DeliveryPage} />
          <Route path="/projects/:project/events" component={EventsPage} />
          <Route path="/projects/:project/events/:event" component={EventPage} />
          <Route path="/projects/:project/event-types" component={EventTypesPage} />
          <Route path="/projects/:project/api-keys" component={ApiKeysPage} />
          <Route path="/projects/:project/audit-log" component={AuditLogPage} />
          <Route path="/projects/:project/settings" component={ProjectSettingsPage} />
          <Route path="/projects/:project/live" component={LivePage} />
          <Route path="/fleet" component={FleetPage} />
          <Route path="/campaigns/:campaign" component={CampaignPage} />
          <Route component={NowherePage} />
        </Switch>
      </Suspense>
    </Shell>
  )
}

function NowherePage() {
  return (
    <PageFrame title="There is no such page">
      <Empty title="Nothing stands at this address">
        The address may be cut off, or what it named has another place now.
      </Empty>
    </PageFrame>
  )
}
