/** Name and mark. */
export function Brand() {
  return (
    <span className="row">
      <svg width="26" height="26" viewBox="0 0 32 32" aria-hidden="true">
        <rect width="32" height="32" rx="8" fill="#4a3fc4" />
        <path d="M9 13.5h14M9 18.5h9" stroke="#fff" strokeWidth="3" strokeLinecap="round" />
        <circle cx="23" cy="18.5" r="2.2" fill="#ffd166" />
      </svg>
      <strong>Countersign</strong>
    </span>
  )
}
