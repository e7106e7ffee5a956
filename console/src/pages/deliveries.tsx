import { PageFrame } from '../kit/page.tsx'
import { DeliveryList } from './delivery-list.tsx'

/** All deliveries of a project. */
export function DeliveriesPage({ params }: { params: { project: string } }) {
  return (
    <PageFrame title="Deliveries" lead="One event on its way to one endpoint, with every attempt.">
      <DeliveryList project={params.project} />
    </PageFrame>
  )
}
