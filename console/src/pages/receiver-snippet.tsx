import type { Endpoint, Rotation } from '@countersign/sdk'
import { useState } from 'react'
import { Card, Code } from '../kit/card.tsx'
import { Copy } from '../kit/copy.tsx'
import { Choice } from '../kit/field.tsx'

/** Formats that the snippets of other languages can read too. */
const standardLibraries = ['standard', 'mobilerun']

const names = { node: 'Node.js', python: 'Python', go: 'Go', ruby: 'Ruby' }
type Language = keyof typeof names

/** What the receiver runs while both secrets sign. The values stay in its own environment. */
export function ReceiverSnippet({
  endpoint,
  rotation,
}: {
  endpoint: Endpoint
  rotation: Rotation
}) {
  const [language, setLanguage] = useState<Language>('node')
  const isStandard = standardLibraries.includes(endpoint.format)
  const shown = isStandard ? language : 'node'
  const code =
    endpoint.algorithm === 'ed25519' ? keySetSnippet(endpoint) : snippets[shown](endpoint)
  const isOver = rotation.status === 'completed'
  return (
    <Card
      title="The receiver, with both secrets"
      isPadded
      actions={
        <>
          {isStandard && endpoint.algorithm === 'hmac-sha256' && (
            <Choice
              label="Language"
              isLabelHidden
              value={language}
              onChange={(value) => setLanguage(value as Language)}
              options={Object.entries(names)}
            />
          )}
          <Copy text={code} />
        </>
      }
    >
      <div className="stack tight">
        <Code label="Code of the receiver">{code}</Code>
        <p className="quiet small">
          {isOver
            ? 'The old secret has stopped: take it out of the receiver.'
            : 'Deploy this first. When the old secret has stopped, take it out again.'}
        </p>
      </div>
    </Card>
  )
}

const snippets: Record<Language, (endpoint: Endpoint) => string> = {
  node: ({ format }) => `import { toResponseHeaders, verifyWebhook } from '@countersign/sdk'

const secrets = [
  process.env.WEBHOOK_SECRET_NEW,
  process.env.WEBHOOK_SECRET_OLD,
].filter(Boolean)

const event = await verifyWebhook(rawBody, request.headers, secrets${
    format === 'standard' ? '' : `, {\n  format: '${format}',\n}`
  })
// Tells the console which secret matched:
response.writeHead(204, toResponseHeaders(event))`,
  python: () => `import os
from standardwebhooks import Webhook, WebhookVerificationError

secrets = [os.environ.get("WEBHOOK_SECRET_NEW"),
           os.environ.get("WEBHOOK_SECRET_OLD")]

def verify(body, headers):
    for secret in filter(None, secrets):
        try:
            return Webhook(secret).verify(body, headers)
        except WebhookVerificationError:
            continue
    raise WebhookVerificationError("no secret matched")`,
  go: () => `for _, secret := range []string{
	os.Getenv("WEBHOOK_SECRET_NEW"),
	os.Getenv("WEBHOOK_SECRET_OLD"),
} {
	if secret == "" {
		continue
	}
	wh, err := standardwebhooks.NewWebhook(secret)
	if err == nil && wh.Verify(body, r.Header) == nil {
		return nil
	}
}
return errors.New("no secret matched")`,
  ruby: () => `secrets = ENV.values_at("WEBHOOK_SECRET_NEW", "WEBHOOK_SECRET_OLD").compact

verified = secrets.any? do |secret|
  StandardWebhooks::Webhook.new(secret).verify(body, headers)
  true
rescue StandardWebhooks::WebhookVerificationError
  false
end
halt 401 unless verified`,
}

function keySetSnippet({ id }: Endpoint): string {
  return `import { verifyWebhook } from '@countersign/sdk'

// Follows the public keys, so a rotation needs nothing from the receiver.
const keySet = '${location.origin}/.well-known/webhooks/${id}/keys.json'
const event = await verifyWebhook(rawBody, request.headers, keySet)`
}
