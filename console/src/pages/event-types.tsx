import { PageFrame } from '../kit/page.tsx'

export function EventTypesPage() {
  return <PageFrame title="EventTypes">{null}</PageFrame>
}
