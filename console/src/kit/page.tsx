import { type ReactNode, useEffect } from 'react'
import { Link } from 'wouter'

/** What every page has: its title, the way to it, and what can be done. */
export function PageFrame(props: {
  title: string
  /** Shown in place of the title as text. */
  heading?: ReactNode
  crumbs?: readonly (readonly [name: string, href: string])[]
  actions?: ReactNode
  lead?: ReactNode
  children: ReactNode
}) {
  useEffect(() => {
    document.title = `${props.title} · Countersign`
  }, [props.title])
  return (
    <div className="stack">
      {props.crumbs !== undefined && (
        <nav aria-label="Where this page is">
          <ol className="crumbs">
            {props.crumbs.map(([name, href]) => (
              <li key={href}>
                <Link href={href}>{name}</Link>
              </li>
            ))}
          </ol>
        </nav>
      )}
      <header className="row apart">
        <h1 title={props.title}>{props.heading ?? props.title}</h1>
        <div className="row">{props.actions}</div>
      </header>
      {props.lead !== undefined && <p className="quiet">{props.lead}</p>}
      {props.children}
    </div>
  )
}
