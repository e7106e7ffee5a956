import { PageFrame } from '../kit/page.tsx'

export function DeliveriesPage() {
  return <PageFrame title="Deliveries">{null}</PageFrame>
}
