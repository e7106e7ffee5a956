import type { Rotation } from '@countersign/sdk'
import { useHandover } from '../handovers.ts'

interface Step {
  name: string
  state: 'done' | 'now' | 'wrong' | 'ahead'
  says: string
}

const marks = { done: '✓', now: '●', wrong: '!', ahead: '' }
const stateNames = { done: 'done', now: 'now', wrong: 'needs you', ahead: 'to come' }

/** Mint, copy once, deploy, prove, retire: where this rotation stands. */
export function RotationStepper({ rotation }: { rotation: Rotation }) {
  const steps = stepsOf(rotation, useHandover(rotation.id) !== undefined)
  return (
    <ol className="stepper" aria-label="Steps of this rotation">
      {steps.map(({ name, state, says }, index) => (
        <li key={name} className={state} aria-current={state === 'now' ? 'step' : undefined}>
          <strong>
            <i aria-hidden="true">{marks[state] || index + 1}</i>
            {name}
            <span className="hidden-label"> ({stateNames[state]})</span>
          </strong>
          <span className="quiet small">{says}</span>
        </li>
      ))}
    </ol>
  )
}

/** Computed from what the server says; whether the secret still waits here, the page knows. */
export function stepsOf(rotation: Rotation, hasSecretHere: boolean): Step[] {
  const { status, evidence, unclaimed } = rotation
  const isOver = status === 'completed' || status === 'cancelled'
  const isProved = evidence?.verifiedAt != null
  const isReported = (evidence?.receiverReported ?? []).some(
    ({ secretId }) => secretId === rotation.newSecretId,
  )
  const isTaken = isProved || isReported || evidence?.drill?.probes.newOnly?.verdict === 'pass'
  const isRefused = evidence?.drill?.verdict === 'failed' || status === 'held'
  const copied = !unclaimed && !hasSecretHere
  const first = (isDone: boolean, isTurn: boolean): Step['state'] =>
    isDone ? 'done' : isTurn && !isOver ? 'now' : 'ahead'
  return [
    { name: 'Mint', state: 'done', says: 'The new secret is made.' },
    {
      name: 'Copy once',
      state: first(copied || isOver, true),
      says: unclaimed
        ? 'Waits for the claim link to be used.'
        : copied
          ? 'Handed over.'
          : 'Copy it now: it is shown once.',
    },
    {
      name: 'Deploy',
      state: isRefused && !isOver && !isTaken ? 'wrong' : first(isTaken, copied),
      says: isTaken
        ? 'The receiver takes the new secret.'
        : 'Let the receiver accept both secrets.',
    },
    {
      name: 'Prove',
      state: evidence?.unverifying && !isOver ? 'wrong' : first(isProved, isTaken),
      says: isProved ? 'Shown by probes, twice.' : 'Probes show that the receiver really verifies.',
    },
    {
      name: 'Retire',
      state: first(status === 'completed', isProved),
      says: endText(rotation),
    },
  ]
}

function endText({ status, completedBy, completeWhen }: Rotation): string {
  if (status === 'cancelled') return 'Cancelled: the old secret stayed.'
  if (status === 'completed') return `The old secret has stopped (${completedBy}).`
  return completeWhen === 'verified'
    ? 'The old secret stops as soon as there is proof.'
    : 'The old secret stops when its time is over.'
}
