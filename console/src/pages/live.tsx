import { PageFrame } from '../kit/page.tsx'

export function LivePage() {
  return <PageFrame title="Live">{null}</PageFrame>
}
