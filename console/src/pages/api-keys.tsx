import { PageFrame } from '../kit/page.tsx'

export function ApiKeysPage() {
  return <PageFrame title="ApiKeys">{null}</PageFrame>
}
