import type { Principal } from '../core/authorization.ts'
import { AppError } from '../core/errors.ts'

/**
 * The project of the key, for APIs whose paths name none. The root key belongs to no project, so it
 * is refused (dialects.md, A3).
 */
export function keyProject(_params: unknown, { projectId }: Principal): string {
  if (projectId !== null) return projectId
  throw new AppError('forbidden', {
    detail: 'This API works with the key of a project; the root key belongs to none.',
  })
}
