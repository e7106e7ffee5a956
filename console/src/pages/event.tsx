import { PageFrame } from '../kit/page.tsx'

export function EventPage() {
  return <PageFrame title="Event">{null}</PageFrame>
}
