import { ApiError } from '@countersign/sdk'
import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { useCallback, useMemo, useState } from 'react'
import { Router } from 'wouter'
import { Door, type Entry } from './door.tsx'
import { createHandovers } from './handovers.ts'
import { ToastProvider } from './kit/toast.tsx'
import { Pages } from './pages.tsx'
import { createClient, type Session, SessionProvider, takePortalFragment } from './session.ts'

/** The whole console: the door, and behind it the pages. */
export function App() {
  const [entry, setEntry] = useState<Entry | null>(portalEntry)
  const [farewell, setFarewell] = useState<string | null>(null)
  const leave = useCallback((reason?: string) => {
    setEntry(null)
    setFarewell(reason ?? null)
  }, [])
  return (
    <Router base="/console">
      {entry === null ? (
        <Door farewell={farewell} onEnter={setEntry} />
      ) : (
        <Inside entry={entry} leave={leave} />
      )}
    </Router>
  )
}

function Inside({ entry, leave }: { entry: Entry; leave: (reason?: string) => void }) {
  const session = useMemo<Session>(
    () => ({
      client: entry.client,
      kind: entry.kind,
      project: entry.project,
      may: (scope) => entry.scopes === null || entry.scopes.includes(scope),
      handovers: createHandovers(),
      leave,
    }),
    [entry, leave],
  )
  const queries = useMemo(() => createQueries(leave), [leave])
  return (
    <QueryClientProvider client={queries}>
      <SessionProvider value={session}>
        <ToastProvider>
          <Pages />
        </ToastProvider>
      </SessionProvider>
    </QueryClientProvider>
  )
}

function createQueries(leave: (reason: string) => void): QueryClient {
  return new QueryClient({
    queryCache: new QueryCache({
      onError(error) {
        if (error instanceof ApiError && error.status === 401) {
          leave('This key or session is no longer accepted. It may have ended or been revoked.')
        }
      },
    }),
    // The client has retried already; what fails is asked for again by its interval.
    defaultOptions: {
      queries: { retry: false, refetchOnWindowFocus: true, networkMode: 'always' },
    },
  })
}

function portalEntry(): Entry | null {
  const fragment = takePortalFragment()
  const project = /^\/console\/projects\/([^/]+)/.exec(location.pathname)?.[1]
  if (fragment === null || project === undefined) return null
  return {
    client: createClient(fragment.token),
    kind: 'portal',
    project: decodeURIComponent(project),
    scopes: fragment.scopes ?? portalScopes,
  }
}

/** What a portal session can hold at most. */
const portalScopes = [
  ...['webhooks.read', 'webhooks.write', 'secrets.rotate', 'deliveries.read', 'deliveries.write'],
]
