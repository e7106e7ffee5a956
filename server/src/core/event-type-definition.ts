/** What is known of an event type: in the instance's catalogue, or over it in one project. */
export interface EventTypeDefinition {
  /** Null: in the catalogue, for all projects. */
  projectId: string | null
  name: string
  description: string | null
  /** JSON Schema that `data` must fit, as text; null: any object. */
  schema: string | null
  isDeprecated: boolean
  createdAt: number
  updatedAt: number
}
