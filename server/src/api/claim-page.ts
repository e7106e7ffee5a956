import { createHash } from 'node:crypto'

/** Where a claim link leads, below the public URL. */
export const claimPagePath = '/claim'

/**
 * The page at `/claim`. It reads the token from the fragment, which never reaches a server, and
 * posts it only when the button is pressed: whatever opens the link to preview it uses nothing up.
 * The token leaves the address bar at once, and the secret is gone when the page is left.
 */
export function claimPage(): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="robots" content="noindex">
    <title>Claim a signing secret · Countersign</title>
    <style>${style}</style>
  </head>
  <body>
    <main>
      <h1>Claim a signing secret</h1>
      <noscript><p class="notice">This page needs JavaScript: the link's token must not be sent before you ask for the secret.</p></noscript>
      <section id="start" hidden>
        <p>Someone has made a new webhook signing secret for your endpoint. You can see it <strong>once</strong>, here.</p>
        <p>Have the place at hand where it goes, such as your secret manager. The old secret goes on working while you deploy.</p>
        <p><button id="show">Show the secret</button></p>
      </section>
      <section id="shown" hidden>
        <p>This is the secret. Copy it now: it is not shown again, and is gone when you leave or reload this page.</p>
        <p class="secret"><code id="secret">••••••••••••••••</code></p>
        <p><button id="reveal">Reveal</button> <button id="copy">Copy</button> <span id="copied" role="status"></span></p>
        <dl>
          <dt>Endpoint</dt><dd id="url"></dd>
          <dt>Secret id</dt><dd id="secret-id"></dd>
          <dt>Format</dt><dd id="format"></dd>
          <dt>New secret signs from</dt><dd id="activates"></dd>
          <dt>Old secret works until</dt><dd id="expires"></dd>
        </dl>
        <p>Next: let your receiver accept <strong>both</strong> secrets, deploy, and take the old one out when its time is over.</p>
      </section>
      <section id="used" hidden>
        <p class="notice">This link was used <span id="used-at"></span>. A secret is shown once only.</p>
        <p>If that was you, you have the secret, or ask for a new rotation. If it was not:</p>
        <p><button id="dispute">This was not me</button></p>
      </section>
      <section id="disputed" hidden>
        <p class="notice">Thank you. The rotation is flagged, and whoever runs this server is told. Do not use a secret that you did not see here yourself.</p>
      </section>
      <section id="problem" hidden><p class="notice" id="problem-text" role="alert"></p></section>
    </main>
    <script>${script}</script>
  </body>
</html>
`
}

const style = `
      body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 40rem; padding: 2rem 1rem; color: #1b1b1b; background: #fff; }
      h1 { font-size: 1.4rem; }
      button { font: inherit; padding: 0.5rem 1rem; border: 1px solid #1b5fa8; border-radius: 0.4rem; background: #1b5fa8; color: #fff; cursor: pointer; }
      button:focus-visible { outline: 3px solid #f0a020; outline-offset: 2px; }
      .secret { background: #f2f4f7; border-radius: 0.4rem; padding: 0.75rem 1rem; overflow-wrap: anywhere; }
      .notice { background: #fff6d6; border-radius: 0.4rem; padding: 0.75rem 1rem; }
      dt { color: #555; margin-top: 0.5rem; }
      dd { margin: 0; overflow-wrap: anywhere; }
      @media (prefers-color-scheme: dark) {
        body { background: #161616; color: #eee; }
        .secret { background: #242424; }
        .notice { background: #3a3110; }
        dt { color: #aaa; }
      }
    `

const script = `
      const byId = (id) => document.getElementById(id)
      const show = (id) => {
        for (const section of document.querySelectorAll('section')) section.hidden = section.id !== id
      }
      const time = (text) => (text === null ? '' : new Date(text).toLocaleString())
      const fail = (text) => { byId('problem-text').textContent = text; show('problem') }
      const token = location.hash.slice(1)
      history.replaceState(null, '', location.pathname)
      const ask = async (path) => {
        const answer = await fetch(path, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ token }),
          referrerPolicy: 'no-referrer',
          credentials: 'omit',
        })
        return { ok: answer.ok, body: await answer.json() }
      }
      const claimsPath = location.pathname.replace(/\\/claim\\/?$/, '/v1/claims')
      const present = (claimed) => {
        byId('url').textContent = claimed.endpoint_url
        byId('secret-id').textContent = claimed.secret_id
        byId('format').textContent = claimed.format
        byId('activates').textContent = time(claimed.activates_at)
        byId('expires').textContent = time(claimed.previous_secret_expires_at)
        byId('reveal').onclick = () => { byId('secret').textContent = claimed.secret }
        byId('copy').onclick = async () => {
          await navigator.clipboard.writeText(claimed.secret)
          byId('copied').textContent = 'Copied.'
        }
        show('shown')
      }
      byId('show').onclick = async () => {
        byId('show').disabled = true
        try {
          const { ok, body } = await ask(claimsPath)
          if (ok) return present(body)
          if (body.code !== 'claim_used') return fail(body.detail)
          byId('used-at').textContent = 'on ' + time(body.claimed_at)
          show(body.disputed_at === null ? 'used' : 'disputed')
        } catch {
          byId('show').disabled = false
          alert('The server cannot be reached. Nothing was used up; try again.')
        }
      }
      byId('dispute').onclick = async () => {
        const { ok, body } = await ask(claimsPath + '/dispute')
        if (ok) show('disputed')
        else fail(body.detail)
      }
      if (token === '') fail('This link is not whole: the part after # is missing. Copy it again, to its very end.')
      else show('start')
    `

/** Runs its one script, talks to this server alone, and is shown in no frame. */
export const claimPageHeaders = {
  'content-security-policy': [
    "default-src 'none'",
    `script-src 'sha256-${createHash('sha256').update(script).digest('base64')}'`,
    "style-src 'unsafe-inline'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'referrer-policy': 'no-referrer',
} as const
