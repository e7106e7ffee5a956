/** `system`: whatever the machine says. */
export type Theme = 'system' | 'light' | 'dark'

const storageKey = 'countersign-theme'

/** The theme chosen in this browser: the one thing that the console stores. */
export function storedTheme(): Theme {
  try {
    const text = localStorage.getItem(storageKey)
    return text === 'light' || text === 'dark' ? text : 'system'
  } catch {
    // Some browsers refuse storage; the theme is then chosen anew each time.
    return 'system'
  }
}

/** Shows the theme and keeps the choice. */
export function applyTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
  try {
    if (theme === 'system') localStorage.removeItem(storageKey)
    else localStorage.setItem(storageKey, theme)
  } catch {
    // Shown all the same.
  }
}
