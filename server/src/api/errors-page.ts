import { errorTable } from '../core/errors.ts'

/** The page at `/docs/errors`: one section for each code, which `type` of a problem leads to. */
export function errorsPage(): string {
  const sections = Object.entries(errorTable).map(
    ([code, { status, title, help }]) => `
      <section id="${code}">
        <h2><a href="#${code}"><code>${code}</code></a> <small>${status}</small></h2>
        <p><strong>${html(title)}.</strong></p>
        <p>${html(help)}</p>
      </section>`,
  )
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Errors · Countersign</title>
    <style>${style}</style>
  </head>
  <body>
    <main>
      <h1>Errors</h1>
      <p>
        Every refusal is a problem document (RFC 9457) with one of these codes in <code>code</code>;
        its <code>type</code> leads to the section of the code. All operations are described in
        <a href="/docs/">the reference</a>.
      </p>${sections.join('')}
    </main>
  </body>
</html>
`
}

/** The page runs nothing and loads nothing. */
export const errorsPageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'",
} as const

const style = `
      body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 44rem; padding: 2rem 1rem; }
      h2 { font-size: 1.1rem; margin: 2rem 0 0.25rem; }
      h2 a { color: inherit; text-decoration: none; }
      small { color: #666; font-weight: normal; }
      section:target { background: #fff6d6; outline: 0.5rem solid #fff6d6; }
      p { margin: 0.25rem 0; }
      @media (prefers-color-scheme: dark) {
        body { background: #161616; color: #eee; }
        a { color: #8ab4f8; }
        section:target { background: #3a3110; outline-color: #3a3110; }
        small { color: #aaa; }
      }
    `

/** Text as HTML, with what stands in backticks as code. */
function html(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/`([^`]+)`/g, '<code>$1</code>')
}
