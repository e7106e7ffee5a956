import { PageFrame } from '../kit/page.tsx'

export function FleetPage() {
  return <PageFrame title="Fleet">{null}</PageFrame>
}
