import { type FormEvent, type ReactNode, useId, useLayoutEffect, useRef } from 'react'
import { Button } from './button.tsx'
import { Notice } from './notice.tsx'

interface DialogProps {
  title: string
  children: ReactNode
  /** The word on the button that does it. */
  verb: string
  isDangerous?: boolean
  isBusy?: boolean
  isReady?: boolean
  problem?: string | null
  onSubmit: () => void
  onClose: () => void
}

/** A question over the page. Escape and Cancel leave everything as it was. */
export function Dialog(props: DialogProps) {
  const frame = useRef<HTMLDialogElement>(null)
  const titleId = useId()
  // Closed while it is still in the page: only then does the focus go back to where it came from.
  useLayoutEffect(() => {
    const dialog = frame.current
    dialog?.showModal()
    return () => dialog?.close()
  }, [])
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (props.isReady !== false && !props.isBusy) props.onSubmit()
  }
  return (
    <dialog
      ref={frame}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault()
        props.onClose()
      }}
    >
      <form onSubmit={submit}>
        <h2 id={titleId}>{props.title}</h2>
        {props.children}
        {props.problem && <Notice tone="bad">{props.problem}</Notice>}
        <footer>
          <Button onClick={props.onClose}>Not now</Button>
          <Button
            type="submit"
            kind={props.isDangerous ? 'danger' : 'primary'}
            isBusy={props.isBusy ?? false}
            isDisabled={props.isReady === false}
          >
            {props.verb}
          </Button>
        </footer>
      </form>
    </dialog>
  )
}
