import type { Event } from '../core/event.ts'

export interface EventRow {
  seq: number
  id: string
  type: string
  timestamp: string
  metadata: string
  data: string | null
  delivery_count: number
  at: number
}

export function toEvent(projectId: string, row: EventRow): Event {
  return {
    id: row.id,
    projectId,
    type: row.type,
    timestamp: row.timestamp,
    metadata: JSON.parse(row.metadata) as Record<string, unknown>,
    data: row.data,
    deliveryCount: row.delivery_count,
    createdAt: row.at,
  }
}
