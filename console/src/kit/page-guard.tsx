import { Component, type ReactNode } from 'react'
import { Notice } from './notice.tsx'

/** Keeps what breaks while a page is drawn to that page: the ways to the others stay. */
export class PageGuard extends Component<{ children: ReactNode }, { isBroken: boolean }> {
  override state = { isBroken: false }

  static getDerivedStateFromError() {
    return { isBroken: true }
  }

  override render() {
    if (!this.state.isBroken) return this.props.children
    return (
      <div className="stack">
        <h1>This page cannot be shown</h1>
        <Notice tone="bad">
          Something in it is not as the console expects. The other pages work; so may this one when
          you come back.
        </Notice>
      </div>
    )
  }
}
