import { Countersign } from '@countersign/sdk'
import { createContext, useContext } from 'react'
import type { Handovers } from './handovers.ts'

/** Who is here: the key stays in the client's closure and is never stored. */
export interface Session {
  client: Countersign
  /** `instance`: the root key. `project`: a project's key. `portal`: a customer's engineer. */
  kind: 'instance' | 'project' | 'portal'
  /** The only project that this session sees; null for the root key. */
  project: string | null
  /** Whether the session may do this, as far as it was told; the server decides. */
  may(scope: string): boolean
  /** By id of a rotation, an endpoint or a key. */
  handovers: Handovers
  leave(reason?: string): void
}

const SessionContext = createContext<Session | null>(null)

export const SessionProvider = SessionContext.Provider

export function useSession(): Session {
  const session = useContext(SessionContext)
  if (session === null) throw new Error('There is no session here.')
  return session
}

/** The client of this page's own server. One retry; the pages ask again by themselves. */
export function createClient(apiKey: string): Countersign {
  return new Countersign({
    baseUrl: location.origin,
    apiKey,
    timeoutMs: 15_000,
    retriesMax: 1,
  })
}

/** What stands behind `#` in a portal link: the token, and what the session may do. */
export interface PortalFragment {
  token: string
  scopes: readonly string[] | null
}

/** Takes the token out of the address, so that it stays in no history and no screenshot. */
export function takePortalFragment(): PortalFragment | null {
  const members = new URLSearchParams(location.hash.slice(1))
  const token = members.get('token')
  if (token === null || token === '') return null
  history.replaceState(null, '', location.pathname + location.search)
  const scopes = members.get('scopes')
  return { token, scopes: scopes === null ? null : scopes.split(' ') }
}

/** The address that lets a customer's engineer in. */
export function portalLink(project: string, token: string, scopes: readonly string[]): string {
  const members = new URLSearchParams({ token, scopes: scopes.join(' ') })
  return `${location.origin}/console/projects/${encodeURIComponent(project)}#${members}`
}
