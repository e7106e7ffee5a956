import type { ReactNode } from 'react'

/** A part of a page under its own heading. */
export function Card(props: {
  title?: ReactNode
  actions?: ReactNode
  children: ReactNode
  isPadded?: boolean
}) {
  return (
    <section className="card">
      {(props.title !== undefined || props.actions !== undefined) && (
        <header>
          <h2>{props.title}</h2>
          <div className="row">{props.actions}</div>
        </header>
      )}
      {props.isPadded ? <div className="inside">{props.children}</div> : props.children}
    </section>
  )
}

/** What to do where there is nothing yet. */
export function Empty(props: { title: string; children: ReactNode; action?: ReactNode }) {
  return (
    <div className="empty">
      <h3>{props.title}</h3>
      <p>{props.children}</p>
      {props.action}
    </div>
  )
}

/** Names and what they stand for. */
export function Facts({ rows }: { rows: readonly (readonly [name: string, value: ReactNode])[] }) {
  return (
    <dl className="facts">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

/** Large numbers in a row. */
export function Figures({
  rows,
}: {
  rows: readonly (readonly [name: string, value: ReactNode])[]
}) {
  return (
    <dl className="figures">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

/** Text as it is, in fixed width. It can be scrolled by keyboard. */
export function Code({ children, label }: { children: string; label: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <section className="code" tabIndex={0} aria-label={label}>
      {children}
    </section>
  )
}
