import { PageFrame } from '../kit/page.tsx'

export function CampaignPage() {
  return <PageFrame title="Campaign">{null}</PageFrame>
}
