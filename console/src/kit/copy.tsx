import { useState } from 'react'
import { Button } from './button.tsx'

/** Copies text, and says so. */
export function Copy(props: { text: string; label?: string; onCopied?: () => void }) {
  const [state, setState] = useState<'idle' | 'copied' | 'refused'>('idle')
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(props.text)
      setState('copied')
      props.onCopied?.()
    } catch {
      // Pages that came over plain http have no clipboard: select the text by hand.
      setState('refused')
    }
  }
  return (
    <>
      <Button isCompact onClick={copy}>
        {props.label ?? 'Copy'}
      </Button>
      <span className="copied" role="status">
        {state === 'copied' && 'Copied.'}
        {state === 'refused' && 'The browser refused; select the text and copy it by hand.'}
      </span>
    </>
  )
}
