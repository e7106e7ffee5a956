import { useEffect, useState } from 'react'

/** From then on a reader wants to be told that the wait is the server's. */
const slowMs = 2_500

/** The outline of what is being read. */
export function Skeleton({ rows }: { rows: number }) {
  const [isSlow, setIsSlow] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setIsSlow(true), slowMs)
    return () => clearTimeout(timer)
  }, [])
  const lines = Array.from({ length: rows }, (_, index) => `line-${index}`)
  return (
    <div className="skeleton" aria-busy="true">
      {lines.map((line) => (
        <span key={line} />
      ))}
      {isSlow && <p role="status">The server is slow to answer. Still waiting.</p>}
    </div>
  )
}
