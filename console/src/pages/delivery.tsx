import { PageFrame } from '../kit/page.tsx'

export function DeliveryPage() {
  return <PageFrame title="Delivery">{null}</PageFrame>
}
