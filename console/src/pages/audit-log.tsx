import type { AuditRow } from '@countersign/sdk'
import { useSearchParams } from 'wouter'
import { Card, Empty } from '../kit/card.tsx'
import { Field } from '../kit/field.tsx'
import { PageFrame } from '../kit/page.tsx'
import { Table } from '../kit/table.tsx'
import { When } from '../kit/time.tsx'
import { Loaded, useReadList } from '../read.tsx'

/** Who changed what, when, why, from where. */
export function AuditLogPage({ params }: { params: { project: string } }) {
  const { project } = params
  const [search, setSearch] = useSearchParams()
  const action = search.get('action') ?? ''
  const actor = search.get('actor') ?? ''
  const set = (name: string) => (value: string) =>
    setSearch(
      (before) => {
        const next = new URLSearchParams(before)
        if (value === '') next.delete(name)
        else next.set(name, value)
        return next
      },
      { replace: true },
    )
  const { query, pager } = useReadList(
    ['audit log', project, action, actor],
    (client, cursor, signal) =>
      client.auditLog.list(
        project,
        {
          limit: 50,
          cursor,
          ...(action === '' ? {} : { action }),
          ...(actor === '' ? {} : { actor }),
        },
        { signal },
      ),
    5_000,
  )
  return (
    <PageFrame title="Audit log" lead="Rows are only ever added.">
      <Card>
        <search className="filters">
          <Field
            label="Action"
            isLabelHidden
            type="search"
            placeholder="Action, such as endpoint.secret.rotated"
            value={action}
            onChange={set('action')}
          />
          <Field
            label="Id of the actor"
            isLabelHidden
            type="search"
            placeholder="Id of the actor"
            value={actor}
            onChange={set('actor')}
          />
        </search>
        <Loaded query={query} rows={8}>
          {({ data }) =>
            data.length === 0 ? (
              <Empty title="Nothing here">Every change to this project would stand here.</Empty>
            ) : (
              <AuditTable rows={data} />
            )
          }
        </Loaded>
        {pager}
      </Card>
    </PageFrame>
  )
}

function AuditTable({ rows }: { rows: readonly AuditRow[] }) {
  return (
    <Table
      label="Audit log"
      rows={rows}
      idOf={({ id }) => id}
      columns={[
        { name: 'When', cell: (row) => <When at={row.at} /> },
        { name: 'Action', cell: (row) => <span className="mono">{row.action}</span> },
        { name: 'Who', cell: (row) => row.actor.name ?? row.actor.id ?? row.actor.type },
        { name: 'What', cell: (row) => <span className="mono quiet">{row.target.id}</span> },
        { name: 'Why', cell: (row) => <span className="clip">{row.reason ?? '–'}</span> },
        { name: 'From', cell: (row) => <span className="mono">{row.sourceAddress ?? '–'}</span> },
      ]}
    />
  )
}
