import { type ComponentType, useEffect, useState } from 'react'
import { Notice } from './kit/notice.tsx'
import { Skeleton } from './kit/skeleton.tsx'

/** How soon a script that did not come is asked for again, in milliseconds. */
const againMs = 2_000

/** A page whose script is not needed for the first page, so not in the first script. */
export interface LatePage<TParams> {
  Page: ComponentType<{ params: TParams }>
  /** Asks for the script ahead of need, so that the page opens also where the server is away. */
  prepare(): void
}

/** Asks for the script until it has come: unlike `lazy`, which would break for good. */
export function latePage<TParams>(
  load: () => Promise<ComponentType<{ params: TParams }>>,
): LatePage<TParams> {
  let known: ComponentType<{ params: TParams }> | null = null
  const ask = async () => {
    known ??= await load()
    return known
  }
  return {
    // Where it does not come now, it is asked for again when it is needed.
    prepare: () => void ask().catch(() => {}),
    Page({ params }) {
      const [Loaded, setLoaded] = useState(() => known)
      const [hasFailed, setHasFailed] = useState(false)
      // biome-ignore lint/correctness/useExhaustiveDependencies: `ask` is one and the same.
      useEffect(() => {
        if (Loaded !== null) return
        let isHere = true
        let timer: ReturnType<typeof setTimeout>
        const attempt = async () => {
          try {
            const page = await ask()
            if (isHere) setLoaded(() => page)
          } catch {
            if (!isHere) return
            setHasFailed(true)
            timer = setTimeout(attempt, againMs)
          }
        }
        void attempt()
        return () => {
          isHere = false
          clearTimeout(timer)
        }
      }, [Loaded])
      if (Loaded !== null) return <Loaded params={params} />
      if (!hasFailed) return <Skeleton rows={6} />
      return (
        <Notice tone="bad">
          The server cannot be reached, so this page is not there yet. Trying again by itself. If
          the server was upgraded, reload.
        </Notice>
      )
    },
  }
}
