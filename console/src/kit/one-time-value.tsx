import { useState } from 'react'
import { type Handover, useHandover } from '../handovers.ts'
import { useSession } from '../session.ts'
import { Button } from './button.tsx'
import { Copy } from './copy.tsx'

const titles: Record<Handover['kind'], string> = {
  secret: 'The new secret, shown once',
  public_key: 'The new public key',
  claim_link: 'The claim link, shown once',
  api_key: 'The new key, shown once',
  portal_link: 'The portal link, shown once',
}

/**
 * What the server answers only once. Hidden until asked for, and gone for good when it is dismissed
 * or the page is reloaded: nothing but the session's memory holds it.
 */
export function OneTimeValue({ owner }: { owner: string }) {
  const handover = useHandover(owner)
  if (handover === undefined) return null
  // Another value begins hidden, as the one before did.
  return <Value key={handover.value} owner={owner} handover={handover} />
}

function Value({ owner, handover }: { owner: string; handover: Handover }) {
  const { handovers } = useSession()
  const [isShown, setIsShown] = useState(false)
  return (
    <section className="secret-box" aria-label={titles[handover.kind]}>
      <h2>{titles[handover.kind]}</h2>
      <p>
        Copy it now, to where the receiver reads it. It is not stored here and cannot be shown
        again. <span className="quiet mono">{handover.label}</span>
      </p>
      <code>{isShown ? handover.value : `${handover.value.slice(0, 6)}${'•'.repeat(24)}`}</code>
      <div className="row">
        <Copy text={handover.value} label="Copy" />
        <Button isCompact onClick={() => setIsShown(!isShown)}>
          {isShown ? 'Hide' : 'Reveal'}
        </Button>
        <Button isCompact onClick={() => handovers.delete(owner)}>
          I have it: take it off this page
        </Button>
      </div>
    </section>
  )
}
