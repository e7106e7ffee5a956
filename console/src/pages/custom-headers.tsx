import { Check, Field } from '../kit/field.tsx'

/** Headers that every delivery carries, one a line. */
export function HeadersField(props: { value: string; onChange: (value: string) => void }) {
  return (
    <Field
      label="Custom headers"
      {...props}
      lines={3}
      placeholder="Authorization: Bearer …"
      hint="One a line, as name: value. Every delivery carries them. They are stored encrypted, and values are never shown again."
    />
  )
}

/** What takes the place of an endpoint's headers; `value` is null where they stay. */
export function ReplaceHeaders(props: {
  names: readonly string[]
  value: string | null
  onChange: (value: string | null) => void
}) {
  const { names, value, onChange } = props
  if (names.length === 0) return <HeadersField value={value ?? ''} onChange={onChange} />
  return (
    <>
      <Check
        label={`Replace the custom headers (${names.join(', ')}): their values are not shown, so give all of them anew`}
        isOn={value !== null}
        onChange={(isOn) => onChange(isOn ? '' : null)}
      />
      {value !== null && <HeadersField value={value} onChange={onChange} />}
    </>
  )
}

/** By name. Throws an error for people where a line is no header. */
export function readHeaders(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  return Object.fromEntries(
    lines.map((line) => {
      const [, name, value] = /^\s*([^:\s]+)\s*:\s*(.*?)\s*$/.exec(line) ?? []
      if (name === undefined || !value) {
        throw new Error(`“${line.trim()}” is no header: write its name, a colon and its value.`)
      }
      return [name, value]
    }),
  )
}
