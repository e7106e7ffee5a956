import { PageFrame } from '../kit/page.tsx'

export function AuditLogPage() {
  return <PageFrame title="AuditLog">{null}</PageFrame>
}
