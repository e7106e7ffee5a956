import { useEffect } from 'react'
import { Redirect, Route, Switch, useLocation } from 'wouter'
import { Empty } from './kit/card.tsx'
import { PageFrame } from './kit/page.tsx'
import { PageGuard } from './kit/page-guard.tsx'
import { latePage } from './late-page.tsx'
import { EndpointPage } from './pages/endpoint.tsx'
import { EndpointsPage } from './pages/endpoints.tsx'
import { OverviewPage } from './pages/overview.tsx'
import { ProjectsPage } from './pages/projects.tsx'
import { RotationPage } from './pages/rotation.tsx'
import { useSession } from './session.ts'
import { Shell } from './shell.tsx'

// Not needed for the first page, so not in the first script.
const deliveriesPage = latePage(async () => (await import('./pages/deliveries.tsx')).DeliveriesPage)
const deliveryPage = latePage(async () => (await import('./pages/delivery.tsx')).DeliveryPage)
const eventsPage = latePage(async () => (await import('./pages/events.tsx')).EventsPage)
const eventPage = latePage(async () => (await import('./pages/event.tsx')).EventPage)
const eventTypesPage = latePage(
  async () => (await import('./pages/event-types.tsx')).EventTypesPage,
)
const apiKeysPage = latePage(async () => (await import('./pages/api-keys.tsx')).ApiKeysPage)
const auditLogPage = latePage(async () => (await import('./pages/audit-log.tsx')).AuditLogPage)
const projectSettingsPage = latePage(
  async () => (await import('./pages/project-settings.tsx')).ProjectSettingsPage,
)
const livePage = latePage(async () => (await import('./pages/live.tsx')).LivePage)
const fleetPage = latePage(async () => (await import('./pages/fleet.tsx')).FleetPage)
const campaignPage = latePage(async () => (await import('./pages/campaign.tsx')).CampaignPage)

const latePages = [
  deliveriesPage,
  deliveryPage,
  eventsPage,
  eventPage,
  eventTypesPage,
  apiKeysPage,
  auditLogPage,
  projectSettingsPage,
  livePage,
  fleetPage,
  campaignPage,
]

/** Every address of the console and the page that stands there. */
export function Pages() {
  const { project } = useSession()
  const [location] = useLocation()
  useEffect(() => {
    for (const { prepare } of latePages) prepare()
  }, [])
  return (
    <Shell>
      {/* Another address is another page: nothing of the one before is shown or acted on there. */}
      <PageGuard key={location}>
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
          <Route path="/projects/:project/deliveries" component={deliveriesPage.Page} />
          <Route path="/projects/:project/deliveries/:delivery" component={deliveryPage.Page} />
          <Route path="/projects/:project/events" component={eventsPage.Page} />
          <Route path="/projects/:project/events/:event" component={eventPage.Page} />
          <Route path="/projects/:project/event-types" component={eventTypesPage.Page} />
          <Route path="/projects/:project/api-keys" component={apiKeysPage.Page} />
          <Route path="/projects/:project/audit-log" component={auditLogPage.Page} />
          <Route path="/projects/:project/settings" component={projectSettingsPage.Page} />
          <Route path="/projects/:project/live" component={livePage.Page} />
          <Route path="/fleet" component={fleetPage.Page} />
          <Route path="/campaigns/:campaign" component={campaignPage.Page} />
          <Route component={NowherePage} />
        </Switch>
      </PageGuard>
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
