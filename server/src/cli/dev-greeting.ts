/**
 * What `dev` says once the server answers: where to go, and commands that work when pasted into
 * any shell on this machine, on every start.
 */
export function devGreeting(facts: {
  url: string
  dataDir: string
  projectUid: string
  /** Null where the key is configured: the commands then read it from the environment. */
  rootKeyFile: string | null
  rootKeyCount: number
  /** The key itself, where it may be shown: on a terminal. */
  shownRootKey: string | null
}): string {
  const { url, dataDir, projectUid, rootKeyFile, rootKeyCount, shownRootKey } = facts
  const authorization = `-H "Authorization: Bearer ${keySource(rootKeyFile, rootKeyCount)}"`
  const project = `${url}/v1/projects/${projectUid}`
  const post = (path: string, body: string) =>
    [
      `curl ${project}/${path} \\`,
      `    ${authorization} \\`,
      `    -H 'Content-Type: application/json' -d '${body}'`,
    ].join('\n  ')

  return `
Countersign is running.

  Console        ${url}/console/
  API reference  ${url}/docs
  Data           ${dataDir}
  Root key       ${shownRootKey ?? rootKeyFile ?? 'COUNTERSIGN_ROOT_KEY'}

Publish a first event, in another terminal:

  ${post('events', '{"type":"order.paid","data":{"order":"1001","total":4200}}')}

It is stored, but delivery_count is 0: nobody listens yet. Start a receiver that shows what it gets:

  node -e '${receiver}'

Create an endpoint for it. The answer holds its signing secret, this once:

  ${post('endpoints', '{"url":"http://127.0.0.1:3000/","uid":"mine"}')}

Publish again, watch the receiver, and see every delivery:

  curl ${project}/deliveries ${authorization}

Then rotate its secret: for the next minute, every delivery carries both signatures.

  ${post('endpoints/mine/secret/rotate', '{"expire_current_in":60}')}

Ctrl-C stops the server.

`
}

/** Where a program on this machine reaches a server that listens on every interface. */
export function reachableUrl(url: string): string {
  return url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:')
}

/** Runs on any Node; says the signature, so that a rotation can be seen, and the body. */
const receiver =
  'require("http").createServer((q,s)=>{console.log(q.headers["webhook-signature"]);q.pipe(process.stdout);q.on("end",()=>{console.log();s.end()})}).listen(3000)'

/** How a shell finds the key; of two configured ones, the first. */
function keySource(rootKeyFile: string | null, count: number): string {
  if (rootKeyFile !== null) {
    return `$(${count > 1 ? 'cut -d, -f1' : 'cat'} ${quoteForShell(rootKeyFile)})`
  }
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell's template, not ours.
  return count > 1 ? '${COUNTERSIGN_ROOT_KEY%%,*}' : '$COUNTERSIGN_ROOT_KEY'
}

function quoteForShell(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`
}
