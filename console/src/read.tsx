import type { Countersign, List, Page } from '@countersign/sdk'
import {
  keepPreviousData,
  type UseQueryResult,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query'
import { type ReactNode, useCallback, useEffect, useRef, useState } from 'react'
import { describeError, isRefusal, isServerTrouble } from './describe-error.ts'
import { Notice } from './kit/notice.tsx'
import { Pager } from './kit/pager.tsx'
import { Skeleton } from './kit/skeleton.tsx'
import { useSession } from './session.ts'

/** How soon a page asks again after a failure of the server, in milliseconds. */
const againMs = 2_000

/** Reads something from the server, and again every so often; a failure is tried again soon. */
export function useRead<T>(
  key: readonly unknown[],
  read: (client: Countersign, signal: AbortSignal) => Promise<T>,
  everyMs = 5_000,
): UseQueryResult<T> {
  const { client } = useSession()
  const query = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => read(client, signal),
    refetchInterval: (query) => (isServerTrouble(query.state.error) ? againMs : everyMs),
    placeholderData: keepPreviousData,
  })
  // What is no longer there is not shown as if it were, and cannot be acted on.
  return isRefusal(query.error) ? ({ ...query, data: undefined } as UseQueryResult<T>) : query
}

/** One page of a list, and the way to the others. */
export interface ReadList<T> {
  query: UseQueryResult<Page<T>>
  pager: ReactNode
}

/** Reads a list page by page; another `key` begins at the first page. */
export function useReadList<T>(
  key: readonly unknown[],
  list: (client: Countersign, cursor: string | undefined, signal: AbortSignal) => List<T>,
  everyMs = 5_000,
): ReadList<T> {
  const name = JSON.stringify(key)
  const [at, setAt] = useState<{ name: string; cursors: string[] }>({ name, cursors: [] })
  const cursors = at.name === name ? at.cursors : []
  const cursor = cursors.at(-1)
  const query = useRead(
    [...key, 'page', cursor ?? null],
    (client, signal) => list(client, cursor, signal).page(),
    everyMs,
  )
  const next = query.data?.nextCursor ?? null
  const pager = (
    <Pager
      hasPrevious={cursors.length > 0}
      hasNext={next !== null}
      onPrevious={() => setAt({ name, cursors: cursors.slice(0, -1) })}
      onNext={() => next !== null && setAt({ name, cursors: [...cursors, next] })}
    />
  )
  return { query, pager }
}

/** Shows what was read; until then its outline, and what is wrong where something is. */
export function Loaded<T>(props: {
  query: UseQueryResult<T>
  rows?: number
  children: (data: T) => ReactNode
}) {
  const { data, error } = props.query
  if (data !== undefined) return props.children(data)
  if (error !== null) {
    return (
      <div className="inside stack tight">
        <Notice tone="bad">
          {describeError(error)}
          {isServerTrouble(error) && ' Trying again by itself.'}
        </Notice>
      </div>
    )
  }
  return <Skeleton rows={props.rows ?? 4} />
}

/** Something that a person does: one at a time, with what went wrong. */
export interface Act<TArguments extends unknown[]> {
  run(...args: TArguments): Promise<void>
  isBusy: boolean
  problem: string | null
  clear(): void
}

/** Does something through the client and then reads everything anew. */
export function useAct<TArguments extends unknown[]>(
  act: (client: Countersign, ...args: TArguments) => Promise<void>,
): Act<TArguments> {
  const { client } = useSession()
  const queries = useQueryClient()
  const [isBusy, setIsBusy] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)
  const latest = useRef(act)
  useEffect(() => {
    latest.current = act
  })
  const run = useCallback(
    async (...args: TArguments) => {
      setIsBusy(true)
      setProblem(null)
      try {
        await latest.current(client, ...args)
      } catch (error) {
        setProblem(describeError(error))
      } finally {
        setIsBusy(false)
        await queries.invalidateQueries()
      }
    },
    [client, queries],
  )
  return { run, isBusy, problem, clear: () => setProblem(null) }
}
