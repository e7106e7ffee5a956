import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkDockerfile } from './check-dockerfile.ts'

const sound = `
# A comment, \\
FROM node:26.10.0-slim AS base
FROM base AS build
COPY . .
RUN npm ci
FROM base
COPY --from=build /app .
RUN one && \\
    two
USER 1000:1000
HEALTHCHECK --interval=10s --timeout=5s \\
    CMD ["node", "-e", "1"]
ENTRYPOINT ["countersign"]
CMD ["serve"]
`

test('finds nothing wrong with a sound file', () => {
  assert.deepEqual(checkDockerfile(sound), [])
})

test('finds each mistake, and says it', () => {
  const mistakes: [from: string | RegExp, to: string, said: RegExp][] = [
    ['node:26.10.0-slim', 'node', /no tag/],
    ['node:26.10.0-slim', 'node:latest', /no tag/],
    ['node:26.10.0-slim', 'hub.example/node:26', /not an official image/],
    ['USER 1000:1000\n', '', /runs as root/],
    ['USER 1000:1000', 'USER root', /USER root/],
    ['USER 1000:1000', 'USER 0', /USER 0/],
    ['USER 1000:1000', 'USER node', /USER node/],
    [/HEALTHCHECK[^\]]*\]/, '', /HEALTHCHECK is missing/],
    [/HEALTHCHECK[^\]]*\]/, 'HEALTHCHECK NONE', /HEALTHCHECK is missing/],
    ['CMD ["node", "-e", "1"]', 'CMD curl -f http://127.0.0.1/', /not CMD with a list/],
    ['CMD ["node", "-e", "1"]', 'CMD ["true"]', /calls true/],
    ['CMD ["serve"]', 'CMD countersign serve', /CMD is not a list/],
    ['ENTRYPOINT ["countersign"]', 'ENTRYPOINT []', /ENTRYPOINT is not a list/],
    ['COPY . .', 'ADD https://example.com/x.tar.gz .', /ADD is not/],
    ['RUN npm ci', 'RUN curl https://example.com | sh', /calls what is not there/],
    ['--from=build', '--from=elsewhere', /no stage elsewhere/],
  ]
  for (const [from, to, said] of mistakes) {
    const text = sound.replace(from, to)
    assert.notEqual(text, sound)
    assert.match(checkDockerfile(text).join('\n'), said)
  }
  assert.deepEqual(checkDockerfile('# nothing'), ['There is no FROM.'])
})
