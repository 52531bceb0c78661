/** A real control server on a Unix socket in a directory of its own, and a client of plain node:http beside ours. */
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ControlLimits, openControlSocket } from '../../src/control/socket.ts'
import { SILENT } from '../../src/runtime/log.ts'
import { createFake, type Fake } from './fake.ts'

export type Rig = {
  readonly fake: Fake
  readonly data: string
  readonly path: string
  readonly post: (
    operation: string,
    body?: unknown,
    headers?: Record<string, string>,
  ) => Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: unknown }>
  readonly close: () => Promise<void>
}

export async function openRig(limits: Partial<ControlLimits> = {}): Promise<Rig> {
  const data = mkdtempSync(join(tmpdir(), 'gh-control-'))
  const path = join(data, 'gatehouse.sock')
  const fake = createFake()
  const socket = await openControlSocket({ path, view: fake.view, log: SILENT, limits })
  return {
    fake,
    data,
    path,
    post: (operation, body, headers = {}) => post(path, operation, body, headers),
    async close() {
      await socket.close()
      rmSync(data, { recursive: true })
    },
  }
}

function post(
  path: string,
  operation: string,
  body: unknown,
  headers: Record<string, string>,
): ReturnType<Rig['post']> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { socketPath: path, path: `/v1/${operation}`, method: 'POST', headers, agent: false },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (part: string) => (text += part))
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: text === '' ? null : JSON.parse(text),
          }),
        )
        response.on('error', reject)
      },
    )
    sent.on('error', reject)
    sent.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body))
  })
}
