import type { Project, ProjectSettings } from '../core/project.ts'

export interface ProjectRow {
  seq: number
  id: string
  uid: string | null
  name: string
  settings: string
  created_at: number
  updated_at: number
}

export function toProject(row: ProjectRow): Project {
  return {
    id: row.id,
    uid: row.uid,
    name: row.name,
    settings: JSON.parse(row.settings) as ProjectSettings,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}
