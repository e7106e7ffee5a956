import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import './styles/base.css'
import './styles/kit.css'
import './styles/parts.css'
import './styles/shell.css'
import './styles/rotation.css'
import { applyTheme, storedTheme } from './theme.ts'

applyTheme(storedTheme())
const root = document.getElementById('root')
if (root === null) throw new Error('There is no element to draw the console in.')
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
