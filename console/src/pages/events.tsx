import { PageFrame } from '../kit/page.tsx'

export function EventsPage() {
  return <PageFrame title="Events">{null}</PageFrame>
}
