import assert from 'node:assert/strict'
import type { Reply, TestApi } from './test-api.ts'

/** An endpoint whose secret a test rotates, by its paths. */
export interface RotationSubject {
  project: string
  /** Path of the endpoint. */
  path: string
  endpointId: string
  secret: string
  secretId: string
  rotate(body?: object, headers?: Record<string, string>): Promise<Reply>
  /** Rotates and fails where that is refused. */
  rotated(body?: object): Promise<Reply['body']>
  revokePrevious(body?: object): Promise<Reply>
  verb(name: 'complete' | 'cancel', rotationId: string, body?: object): Promise<Reply>
  patch(rotationId: string, body: object): Promise<Reply>
  rotation(rotationId: string): Promise<Reply['body']>
  /** All versions as `GET …/secrets` shows them, newest first. */
  secrets(): Promise<Reply['body'][]>
  /** Everything that reads show of the endpoint's secrets: to prove that nothing was changed. */
  everything(): Promise<object>
}

/** A fresh endpoint in a fresh project. `key`: whose requests these are; the root's by default. */
export async function createRotationSubject(
  api: Pick<TestApi, 'call'>,
  options: { settings?: object; key?: string; project?: string; endpoint?: object } = {},
): Promise<RotationSubject> {
  const { call } = api
  const project =
    options.project ??
    (
      await call('POST', '/v1/projects', {
        body: { name: 'rotation', ...(options.settings ? { settings: options.settings } : {}) },
      })
    ).body.id
  const created = await call('POST', `/v1/projects/${project}/endpoints`, {
    body: { url: 'https://receiver.example/hook', ...options.endpoint },
  })
  assert.equal(created.status, 201, created.text)
  const path = `/v1/projects/${project}/endpoints/${created.body.id}`
  const as = options.key === undefined ? {} : { key: options.key }
  const read = async (suffix: string) => (await call('GET', `${path}${suffix}`)).body

  const subject: RotationSubject = {
    project,
    path,
    endpointId: created.body.id,
    secret: created.body.secret,
    secretId: created.body.secret_id,
    rotate: (body, headers = {}) =>
      call('POST', `${path}/secret/rotate`, { ...as, headers, ...(body ? { body } : {}) }),
    async rotated(body) {
      const reply = await subject.rotate(body)
      assert.equal(reply.status, 200, reply.text)
      return reply.body
    },
    revokePrevious: (body) =>
      call('POST', `${path}/secret/revoke-previous`, { ...as, ...(body ? { body } : {}) }),
    verb: (name, rotationId, body) =>
      call('POST', `${path}/rotations/${rotationId}/${name}`, { ...as, ...(body ? { body } : {}) }),
    patch: (rotationId, body) => call('PATCH', `${path}/rotations/${rotationId}`, { ...as, body }),
    rotation: (rotationId) => read(`/rotations/${rotationId}`),
    secrets: async () => (await read('/secrets')).data,
    everything: async () => ({
      secrets: await read('/secrets'),
      rotations: await read('/rotations'),
      audit: (await call('GET', `/v1/projects/${project}/audit-log?limit=100`)).body,
      events: (await call('GET', `/v1/projects/${project}/events?limit=100`)).body,
    }),
  }
  return subject
}

/** A refusal is what it should be: status, code, and which fields are at fault. */
export function assertRefused(
  reply: Reply,
  expected: { status: number; code: string; params?: string[]; what?: string },
): void {
  const { status, code, params, what = '' } = expected
  assert.deepEqual([reply.status, reply.body.code], [status, code], `${what} ${reply.text}`)
  assert.equal(reply.body.type, `/docs/errors#${code}`)
  if (params === undefined) return
  const named = (reply.body.errors ?? []).map(({ param }: { param: string }) => param)
  assert.deepEqual(named.sort(), [...params].sort(), `${what} ${reply.text}`)
}
