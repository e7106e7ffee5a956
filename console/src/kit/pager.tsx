import { Button } from './button.tsx'

/** The way through a list; nothing where all of it is there. */
export function Pager(props: {
  hasPrevious: boolean
  hasNext: boolean
  onPrevious: () => void
  onNext: () => void
}) {
  if (!props.hasPrevious && !props.hasNext) return null
  return (
    <nav className="pager" aria-label="Pages of this list">
      <Button isCompact isDisabled={!props.hasPrevious} onClick={props.onPrevious}>
        Previous
      </Button>
      <Button isCompact isDisabled={!props.hasNext} onClick={props.onNext}>
        Next
      </Button>
    </nav>
  )
}
