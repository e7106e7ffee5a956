import type { Project } from '@countersign/sdk'
import { useState } from 'react'
import { Link, useLocation } from 'wouter'
import { Button } from '../kit/button.tsx'
import { Card, Empty } from '../kit/card.tsx'
import { Dialog } from '../kit/dialog.tsx'
import { Field } from '../kit/field.tsx'
import { PageFrame } from '../kit/page.tsx'
import { Table } from '../kit/table.tsx'
import { When } from '../kit/time.tsx'
import { paths } from '../paths.ts'
import { Loaded, useAct, useReadList } from '../read.tsx'

/** The first page of whoever holds the root key. */
export function ProjectsPage() {
  const [isCreating, setIsCreating] = useState(false)
  const { query, pager } = useReadList(['projects'], (client, cursor, signal) =>
    client.projects.list({ limit: 50, cursor }, { signal }),
  )
  const create = (
    <Button kind="primary" onClick={() => setIsCreating(true)}>
      New project
    </Button>
  )
  return (
    <PageFrame
      title="Projects"
      actions={create}
      lead="Each project is one customer: its own endpoints, events and keys."
    >
      <Card>
        <Loaded query={query}>
          {({ data }) =>
            data.length === 0 ? (
              <Empty title="No project yet" action={create}>
                A project holds the endpoints and events of one customer. Make the first one.
              </Empty>
            ) : (
              <ProjectTable projects={data} />
            )
          }
        </Loaded>
        {pager}
      </Card>
      {isCreating && <CreateProject onClose={() => setIsCreating(false)} />}
    </PageFrame>
  )
}

function ProjectTable({ projects }: { projects: readonly Project[] }) {
  return (
    <Table
      label="Projects"
      rows={projects}
      idOf={({ id }) => id}
      columns={[
        {
          name: 'Name',
          cell: (row) => (
            <Link className="clip" title={row.name} href={paths.project(row.id)}>
              {row.name}
            </Link>
          ),
        },
        { name: 'Uid', cell: (row) => <span className="mono">{row.uid ?? '–'}</span> },
        { name: 'Id', cell: (row) => <span className="mono quiet">{row.id}</span> },
        { name: 'Made', cell: (row) => <When at={row.createdAt} /> },
      ]}
    />
  )
}

function CreateProject({ onClose }: { onClose: () => void }) {
  const [, go] = useLocation()
  const [name, setName] = useState('')
  const [uid, setUid] = useState('')
  const { run, isBusy, problem } = useAct(async (client) => {
    const { id } = await client.projects.create({ name, ...(uid === '' ? {} : { uid }) })
    go(paths.project(id))
  })
  return (
    <Dialog
      title="New project"
      verb="Create"
      isBusy={isBusy}
      isReady={name.trim() !== ''}
      problem={problem}
      onSubmit={run}
      onClose={onClose}
    >
      <Field label="Name" value={name} onChange={setName} />
      <Field
        label="Uid"
        value={uid}
        onChange={setUid}
        hint="Optional: your own name for it, which the API takes in place of the id."
      />
    </Dialog>
  )
}
