import { ApiError, type Countersign } from '@countersign/sdk'
import { type FormEvent, useState } from 'react'
import { describeError } from './describe-error.ts'
import { Brand } from './kit/brand.tsx'
import { Button } from './kit/button.tsx'
import { Field } from './kit/field.tsx'
import { Notice } from './kit/notice.tsx'
import { createClient, type Session } from './session.ts'

/** A key that was accepted, and what it opens. */
export interface Entry {
  client: Countersign
  kind: Session['kind']
  project: string | null
  /** Null: all that the key can do. */
  scopes: readonly string[] | null
}

/** Asks for a key. It is kept in memory only, so a reload asks again. */
export function Door(props: { farewell: string | null; onEnter: (entry: Entry) => void }) {
  const [key, setKey] = useState('')
  const [project, setProject] = useState(projectInAddress)
  const [asksProject, setAsksProject] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)
  const [isBusy, setIsBusy] = useState(false)
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    setIsBusy(true)
    const outcome = await tryKey(key, asksProject ? project : '')
    setIsBusy(false)
    if (outcome === 'project key') {
      setAsksProject(true)
      setProblem(null)
    } else if (typeof outcome === 'string') setProblem(outcome)
    else props.onEnter(outcome)
  }
  return (
    <div className="door">
      <main>
        <Brand />
        {props.farewell !== null && <Notice tone="warn">{props.farewell}</Notice>}
        <form className="card stack" onSubmit={submit}>
          <h1>Open the console</h1>
          <Field
            label="Key"
            type="password"
            value={key}
            onChange={setKey}
            hint="The root key, or a key of one project. It stays in this page’s memory only, so a reload asks for it again."
          />
          {asksProject && (
            <Field
              label="Project"
              value={project}
              onChange={setProject}
              hint="This key belongs to one project: give the project’s id or uid."
            />
          )}
          {problem !== null && <Notice tone="bad">{problem}</Notice>}
          <Button kind="primary" isBusy={isBusy} type="submit">
            Open
          </Button>
        </form>
        <p className="quiet small">
          You are a customer with a link? Open the whole link, with what stands behind the #.
        </p>
      </main>
    </div>
  )
}

async function tryKey(key: string, project: string): Promise<Entry | string> {
  if (key.trim() === '') return 'Enter a key first.'
  try {
    const client = createClient(key)
    if (project !== '') {
      const { id } = await client.projects.get(project)
      return { client, kind: 'project', project: id, scopes: null }
    }
    await client.projects.list({ limit: 1 }).page()
    return { client, kind: 'instance', project: null, scopes: null }
  } catch (error) {
    if (error instanceof ApiError && error.status === 401)
      return 'The server does not know this key.'
    if (error instanceof ApiError && error.status === 403 && project === '') return 'project key'
    return describeError(error)
  }
}

function projectInAddress(): string {
  return decodeURIComponent(/^\/console\/projects\/([^/]+)/.exec(location.pathname)?.[1] ?? '')
}
