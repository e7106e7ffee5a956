import { useQueryClient } from '@tanstack/react-query'
import {
  type ReactNode,
  type RefObject,
  useEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react'
import { Link, useLocation } from 'wouter'
import { describeError, isServerTrouble } from './describe-error.ts'
import { Brand } from './kit/brand.tsx'
import { Button } from './kit/button.tsx'
import { Choice } from './kit/field.tsx'
import { Notice } from './kit/notice.tsx'
import { useRead } from './read.tsx'
import { useSession } from './session.ts'
import { applyTheme, storedTheme, type Theme } from './theme.ts'

/** What stands around every page: the ways to the others, and whether the server answers. */
export function Shell({ children }: { children: ReactNode }) {
  const [location] = useLocation()
  const [isOpen, setIsOpen] = useState(false)
  const project = /^\/projects\/([^/]+)/.exec(location)?.[1] ?? null
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page closes the menu.
  useEffect(() => setIsOpen(false), [location])
  const content = useRef<HTMLElement>(null)
  useArrival(location, content)
  return (
    <div className="shell">
      <a className="skip" href="#content">
        To the content
      </a>
      <div className={`side${isOpen ? ' open' : ''}`}>
        <div className="row apart">
          <Link className="brand" href="/">
            <Brand />
          </Link>
          <span className="unfold">
            <Button isCompact isExpanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
              Menu
            </Button>
          </span>
        </div>
        <div className="menu">
          <Ways project={project} />
          <Foot />
        </div>
      </div>
      <main className="page" id="content" tabIndex={-1} ref={content}>
        <ServerTrouble />
        {children}
      </main>
    </div>
  )
}

/** Another page begins at its top, and the keyboard in it; going back finds the old place again. */
function useArrival(location: string, content: RefObject<HTMLElement | null>): void {
  const last = useRef({ location, backTo: '' })
  useEffect(() => {
    const goBack = () => {
      last.current.backTo = window.location.pathname
    }
    addEventListener('popstate', goBack)
    return () => removeEventListener('popstate', goBack)
  }, [])
  useEffect(() => {
    const { location: before, backTo } = last.current
    last.current = { location, backTo: '' }
    if (before === location) return
    content.current?.focus({ preventScroll: true })
    if (backTo !== window.location.pathname) scrollTo(0, 0)
  }, [location, content])
}

const projectWays = [
  ['', 'Overview', 'webhooks.read'],
  ['/endpoints', 'Endpoints', 'webhooks.read'],
  ['/deliveries', 'Deliveries', 'deliveries.read'],
  ['/live', 'Live', 'deliveries.read'],
  ['/events', 'Events', 'events.read'],
  ['/event-types', 'Event types', 'webhooks.read'],
  ['/api-keys', 'API keys', 'keys.write'],
  ['/audit-log', 'Audit log', 'audit.read'],
  // No scope of its own: whoever manages keys manages the project.
  ['/settings', 'Settings', 'keys.write'],
] as const

function Ways({ project }: { project: string | null }) {
  const { kind, may } = useSession()
  return (
    <nav aria-label="Pages">
      {kind === 'instance' && (
        <>
          <Way href="/" name="Projects" />
          <Way href="/fleet" name="Fleet" />
        </>
      )}
      {project !== null && (
        <>
          <ProjectName project={project} />
          {projectWays
            .filter(([, , scope]) => may(scope))
            .map(([path, name]) => (
              <Way key={path} href={`/projects/${project}${path}`} name={name} />
            ))}
        </>
      )}
    </nav>
  )
}

function Way({ href, name }: { href: string; name: string }) {
  const [location] = useLocation()
  const isExact = href === '/' || /^\/projects\/[^/]+$/.test(href)
  const isFleet = href === '/fleet' && location.startsWith('/campaigns/')
  const isHere = location === href || (!isExact && location.startsWith(`${href}/`)) || isFleet
  return (
    <Link href={href} aria-current={isHere ? 'page' : undefined}>
      {name}
    </Link>
  )
}

function ProjectName({ project }: { project: string }) {
  const { data } = useRead(
    ['project', project],
    (client, signal) => client.projects.get(project, { signal }),
    60_000,
  )
  return <h2>{data?.name ?? 'Project'}</h2>
}

function Foot() {
  const { kind, leave } = useSession()
  const [theme, setTheme] = useState<Theme>(storedTheme)
  const choose = (next: string) => {
    applyTheme(next as Theme)
    setTheme(next as Theme)
  }
  return (
    <div className="stack tight foot-parts">
      <Choice
        label="Theme"
        isLabelHidden
        value={theme}
        onChange={choose}
        options={[
          ['system', 'Theme of the system'],
          ['light', 'Light'],
          ['dark', 'Dark'],
        ]}
      />
      <div className="foot">
        <span className="quiet small">{doorNames[kind]}</span>
        <Button isCompact kind="bare" onClick={() => leave()}>
          Leave
        </Button>
      </div>
    </div>
  )
}

const doorNames = { instance: 'Root key', project: 'Project key', portal: 'Portal session' }

/** Says once, above everything, that the server is what is wrong. */
function ServerTrouble() {
  const queries = useQueryClient()
  const cache = queries.getQueryCache()
  const trouble = useSyncExternalStore(
    (changed) => cache.subscribe(changed),
    () => {
      const failed = cache
        .getAll()
        .find(
          (query) =>
            query.isActive() &&
            query.state.status === 'error' &&
            isServerTrouble(query.state.error),
        )
      return failed === undefined ? null : describeError(failed.state.error)
    },
  )
  if (trouble === null) return null
  return (
    <div className="server-trouble">
      <Notice tone="bad">{trouble} What you see may be old. Trying again by itself.</Notice>
    </div>
  )
}
