import { PageFrame } from '../kit/page.tsx'

export function OverviewPage() {
  return <PageFrame title="Overview">{null}</PageFrame>
}
