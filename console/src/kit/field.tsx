import { type ReactNode, useId } from 'react'

interface FieldProps {
  label: string
  value: string
  onChange: (value: string) => void
  hint?: ReactNode
  type?: 'text' | 'password' | 'number' | 'search' | 'datetime-local'
  placeholder?: string
  lines?: number
  isLabelHidden?: boolean
}

/** One line of text, or several, under its name. */
export function Field(props: FieldProps) {
  const id = useId()
  const shared = {
    id,
    value: props.value,
    placeholder: props.placeholder,
    'aria-describedby': props.hint === undefined ? undefined : `${id}-hint`,
    autoComplete: 'off',
    spellCheck: false,
  }
  return (
    <div className="field">
      <label className={props.isLabelHidden ? 'hidden-label' : 'name'} htmlFor={id}>
        {props.label}
      </label>
      {props.lines === undefined ? (
        <input
          {...shared}
          type={props.type ?? 'text'}
          onChange={(event) => props.onChange(event.target.value)}
        />
      ) : (
        <textarea
          {...shared}
          rows={props.lines}
          onChange={(event) => props.onChange(event.target.value)}
        />
      )}
      {props.hint !== undefined && (
        <span className="hint" id={`${id}-hint`}>
          {props.hint}
        </span>
      )}
    </div>
  )
}

/** One of several. */
export function Choice(props: {
  label: string
  value: string
  onChange: (value: string) => void
  options: readonly (readonly [value: string, name: string])[]
  hint?: ReactNode
  isLabelHidden?: boolean
}) {
  const id = useId()
  return (
    <div className="field">
      <label className={props.isLabelHidden ? 'hidden-label' : 'name'} htmlFor={id}>
        {props.label}
      </label>
      <select id={id} value={props.value} onChange={(event) => props.onChange(event.target.value)}>
        {props.options.map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
      {props.hint !== undefined && <span className="hint">{props.hint}</span>}
    </div>
  )
}

/** Yes or no. */
export function Check(props: {
  label: ReactNode
  isOn: boolean
  onChange: (isOn: boolean) => void
}) {
  return (
    <label className="check">
      <input
        type="checkbox"
        checked={props.isOn}
        onChange={(event) => props.onChange(event.target.checked)}
      />
      <span>{props.label}</span>
    </label>
  )
}
