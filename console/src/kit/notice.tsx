import type { ReactNode } from 'react'

/** Something that should be read now. */
export function Notice(props: { tone?: 'plain' | 'good' | 'warn' | 'bad'; children: ReactNode }) {
  const { tone = 'plain' } = props
  return (
    <div className={`notice ${tone}`} role={tone === 'bad' ? 'alert' : 'status'}>
      {props.children}
    </div>
  )
}
