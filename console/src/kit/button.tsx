import type { ReactNode } from 'react'

interface ButtonProps {
  children: ReactNode
  onClick?: () => void
  kind?: 'plain' | 'primary' | 'danger' | 'bare'
  type?: 'button' | 'submit'
  isBusy?: boolean
  isDisabled?: boolean
  isCompact?: boolean
  label?: string
  isExpanded?: boolean
}

/** A button. While busy it keeps its place and its focus, and does nothing. */
export function Button(props: ButtonProps) {
  const { kind = 'plain', type = 'button', isBusy = false, isDisabled = false } = props
  const isOff = isBusy || isDisabled
  return (
    <button
      type={type}
      className={`button ${kind}${props.isCompact ? ' compact' : ''}`}
      aria-disabled={isOff}
      aria-label={props.label}
      aria-expanded={props.isExpanded}
      onClick={(event) => {
        if (isOff) event.preventDefault()
        else props.onClick?.()
      }}
    >
      {isBusy ? 'One moment…' : props.children}
    </button>
  )
}
