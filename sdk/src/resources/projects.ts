import { toCamelCase } from '../camel-case.ts'
import { createList, type List } from '../list.ts'
import type {
  CreateProject,
  GetProjectStatsQuery,
  ListQuery,
  Project,
  ProjectStats,
  UpdateProject,
} from '../resources.ts'
import type { PostOptions, RequestOptions, Transport } from '../transport.ts'

/**
 * The tenants of a server. All but `get` and `stats` need the root key.
 *
 * @example
 * const projects: Projects = client.projects
 */
export class Projects {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /**
   * Creates a project.
   * @example
   * const { id } = await client.projects.create({ name: 'Acme', uid: 'acme' })
   */
  async create(input: CreateProject, options?: PostOptions): Promise<Project> {
    const path = ['projects']
    const call = { method: 'POST', path, body: input, options } as const
    return toCamelCase(await this.#transport.send(call))
  }

  /**
   * Lists projects, newest first.
   * @example
   * for await (const { name } of client.projects.list()) console.log(name)
   */
  list(query?: ListQuery, options?: RequestOptions): List<Project> {
    return createList<Project>({
      transport: this.#transport,
      path: ['projects'],
      query,
      options,
    })
  }

  /**
   * Reads one project by its id or uid.
   * @example
   * const { settings } = await client.projects.get('acme')
   */
  async get(project: string, options?: RequestOptions): Promise<Project> {
    const path = ['projects', project]
    return toCamelCase(await this.#transport.send({ method: 'GET', path, options }))
  }

  /**
   * Counts what became of the deliveries of all the project's endpoints together.
   * @example
   * const { successRate, isPartial } = await client.projects.stats('acme', { bucket: '1h' })
   * console.log(successRate, isPartial)
   */
  async stats(
    project: string,
    query?: GetProjectStatsQuery,
    options?: RequestOptions,
  ): Promise<ProjectStats> {
    const path = ['projects', project, 'stats']
    return toCamelCase(await this.#transport.send({ method: 'GET', path, query, options }))
  }

  /**
   * Changes the fields that are given.
   * @example
   * await client.projects.update('acme', { name: 'Acme Inc.' })
   */
  async update(
    project: string,
    changes: UpdateProject,
    options?: RequestOptions,
  ): Promise<Project> {
    const path = ['projects', project]
    const call = { method: 'PATCH', path, body: changes, options } as const
    return toCamelCase(await this.#transport.send(call))
  }

  /**
   * Deletes a project with all that it owns.
   * @example
   * await client.projects.delete('acme')
   */
  async delete(project: string, options?: RequestOptions): Promise<void> {
    await this.#transport.send({ method: 'DELETE', path: ['projects', project], options })
  }
}
