import { AppError } from './errors.ts'

/** What a key may do; see api.md for what each allows. */
export const scopes = [
  'events.write',
  'events.read',
  'webhooks.read',
  'webhooks.write',
  'secrets.rotate',
  'deliveries.read',
  'deliveries.write',
  'keys.write',
  'audit.read',
] as const

export type Scope = (typeof scopes)[number]

/** The scopes of a project key that names none: all but `keys.write`. */
export const defaultScopes: readonly Scope[] = scopes.filter((scope) => scope !== 'keys.write')

/** Who did something, as written into audit rows and rotations. */
export interface Actor {
  type: 'root' | 'key' | 'portal' | 'system'
  id: string | null
  name: string | null
}

export const systemActor: Actor = { type: 'system', id: null, name: null }

/** An authenticated caller. The root principal has no project and every scope. */
export interface Principal {
  actor: Actor
  /** The one project this caller belongs to; null for root and system. */
  projectId: string | null
  scopes: ReadonlySet<Scope>
  isRoot: boolean
  /** SHA-256 of the value of a project key that was sent; null where something else was. */
  keyHash: string | null
}

export const rootPrincipal: Principal = {
  actor: { type: 'root', id: null, name: null },
  projectId: null,
  scopes: new Set(scopes),
  isRoot: true,
  keyHash: null,
}

export const systemPrincipal: Principal = { ...rootPrincipal, actor: systemActor }

/** Throws `forbidden` unless the caller may use `scope` in the project. */
export function requireScope(principal: Principal, projectId: string, scope: Scope): void {
  if (principal.isRoot) return
  if (principal.projectId !== projectId) throw foreignProject()
  if (!principal.scopes.has(scope)) {
    throw new AppError('forbidden', { detail: `This key lacks the scope ${scope}.` })
  }
}

/** Throws `forbidden` unless the caller holds the root key. */
export function requireRoot(principal: Principal): void {
  if (!principal.isRoot) {
    throw new AppError('forbidden', { detail: 'This needs the root key.' })
  }
}

/** The same answer whether the other project exists or not, so that nothing can be probed. */
export function foreignProject(): AppError {
  return new AppError('forbidden', { detail: 'This key belongs to another project.' })
}
