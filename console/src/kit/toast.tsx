import { createContext, type ReactNode, useCallback, useContext, useEffect, useState } from 'react'

const shownMs = 4_000

const ToastContext = createContext<(text: string) => void>(() => {})

/** Says for a moment that something is done; readers of screens hear it. */
export function ToastProvider({ children }: { children: ReactNode }) {
  const [text, setText] = useState('')
  useEffect(() => {
    if (text === '') return
    const timer = setTimeout(() => setText(''), shownMs)
    return () => clearTimeout(timer)
  }, [text])
  const say = useCallback((next: string) => setText(next), [])
  return (
    <ToastContext value={say}>
      {children}
      <div className="toast" role="status">
        {text}
      </div>
    </ToastContext>
  )
}

export function useToast(): (text: string) => void {
  return useContext(ToastContext)
}
