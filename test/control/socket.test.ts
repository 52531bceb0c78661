import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { openControlSocket } from '../../src/control/socket.ts'
import { SILENT } from '../../src/runtime/log.ts'
import { createFake } from './fake.ts'
import { openRig, type Rig } from './rig.ts'

const open: { close: () => Promise<void> }[] = []
afterEach(async () => {
  for (const each of open.splice(0)) await each.close()
})
async function rig(limits: Parameters<typeof openRig>[0] = {}): Promise<Rig> {
  const opened = await openRig(limits)
  open.push(opened)
  return opened
}

describe('the socket file', () => {
  test('is 0660 whatever the umask would make it', async () => {
    const { path } = await rig()
    expect(statSync(path).mode & 0o777).toBe(0o660)
  })

  test('goes when the server closes', async () => {
    const { path, close } = await openRig()
    await close()
    expect(existsSync(path)).toBe(false)
  })

  test('replaces a leftover of a daemon that was killed', async () => {
    const data = mkdtempSync(join(tmpdir(), 'gh-stale-'))
    const path = join(data, 'gatehouse.sock')
    const dead = createServer().listen(path)
    await once(dead, 'listening')
    const socket = await openControlSocket({ path, view: createFake().view, log: SILENT })
    expect(statSync(path).isSocket()).toBe(true)
    await socket.close()
    dead.close()
    rmSync(data, { recursive: true })
  })

  test('never removes what is not a socket', async () => {
    const data = mkdtempSync(join(tmpdir(), 'gh-file-'))
    const path = join(data, 'gatehouse.sock')
    writeFileSync(path, 'somebody wants this')
    await expect(openControlSocket({ path, view: createFake().view, log: SILENT })).rejects.toThrow(/is not a socket/)
    expect(existsSync(path)).toBe(true)
    rmSync(data, { recursive: true })
  })

  test('says so when its path is too long for the kernel', async () => {
    const data = join(mkdtempSync(join(tmpdir(), 'gh-long-')), 'x'.repeat(100))
    mkdirSync(data)
    const path = join(data, 'gatehouse.sock')
    await expect(openControlSocket({ path, view: createFake().view, log: SILENT })).rejects.toThrow(
      /holds at most 107 bytes/,
    )
  })
})

describe('requests', () => {
  test('an empty body is an empty request', async () => {
    const { post } = await rig()
    expect(await post('ping')).toMatchObject({ status: 200, body: { version: '0.1.0' } })
  })

  test.each([
    ['frobnicate', {}, 404, 'E_UNKNOWN_OP'],
    ['points', '{"pattern":', 400, 'E_ARGS'],
    ['points', { patern: '*' }, 400, 'E_ARGS'],
    ['points', { pattern: 'nothing_*' }, 404, 'E_NO_POINT'],
    ['devices', { device: 'pmp_1' }, 404, 'E_NO_DEVICE'],
    ['write', { point: 'pump_1.setpoint', value: 'warm' }, 422, 'E_TYPE'],
    ['ack', { no: 99 }, 404, 'E_NO_ALARM'],
    ['history', { point: 'pump_1.setpoint', sinceMs: 1e9, everyMs: 1000 }, 422, 'E_RANGE'],
    ['points', 'x'.repeat(70_000), 413, 'E_TOO_LARGE'],
  ])('%s %j is refused with %i %s', async (operation, body, status, code) => {
    const { post } = await rig()
    const answer = await post(operation, body)
    expect(answer).toMatchObject({ status, body: { error: { code } } })
  })

  test('only POST is spoken', async () => {
    const { path } = await rig()
    const sent = request({ socketPath: path, path: '/v1/ping', method: 'GET', agent: false }).end()
    const [response]: IncomingMessage[] = (await once(sent, 'response')) as [IncomingMessage]
    expect(response!.statusCode).toBe(404)
    response!.resume()
  })

  test('refusals speak the language that was asked for, else the site’s', async () => {
    const { post } = await rig()
    const asked = await post('devices', { device: 'pmp_1' }, { 'accept-language': 'en' })
    expect(asked.body).toEqual({
      error: { code: 'E_NO_DEVICE', message: 'there is no device pmp_1', hint: 'did you mean pump_1?' },
    })
    const unasked = await post('devices', { device: 'pmp_1' })
    expect(unasked.body).toMatchObject({ error: { message: '没有设备 pmp_1' } })
    expect(unasked.headers['gatehouse-language']).toBe('zh')
  })

  test('an answer that takes too long is E_TIMEOUT', async () => {
    const { post, fake } = await rig({ answerMs: 20 })
    fake.view.store.history = () => new Promise(() => undefined)
    const answer = await post('history', { point: 'pump_1.setpoint', sinceMs: 60_000, everyMs: 0 })
    expect(answer).toMatchObject({ status: 504, body: { error: { code: 'E_TIMEOUT' } } })
  })

  test('a bug is E_INTERNAL with a reference, and the next request is served', async () => {
    const { post, fake } = await rig()
    const { alarms } = fake.view
    fake.view.alarms = () => {
      throw new TypeError('secret detail')
    }
    const answer = await post('alarms', {}, { 'accept-language': 'en' })
    expect(answer).toMatchObject({ status: 500, body: { error: { code: 'E_INTERNAL' } } })
    expect(JSON.stringify(answer.body)).not.toContain('secret detail')
    fake.view.alarms = alarms
    expect((await post('alarms')).status).toBe(200)
  })
})

describe('what changes something', () => {
  test('is written down before it runs and when it ended, with who said it', async () => {
    const { post, fake } = await rig()
    await post('write', { point: 'pump_1.setpoint', value: '0.4' }, { 'gatehouse-caller': 'li' })
    expect(fake.writes).toMatchObject([{ point: 2, value: 0.4, by: 'cli:li', role: 'engineer' }])
    expect(fake.audits).toMatchObject([
      {
        operation: 'write',
        by: 'cli:li',
        phase: 'begun',
        outcome: null,
        input: { point: 'pump_1.setpoint', value: '0.4' },
      },
      { operation: 'write', phase: 'ended', outcome: 'done' },
    ])
    expect(fake.audits[0]!.id).toBe(fake.audits[1]!.id)
  })

  test('is not done when it cannot be written down', async () => {
    const { post, fake } = await rig()
    fake.auditFails = true
    expect(await post('write', { point: 'pump_1.setpoint', value: 1 })).toMatchObject({ status: 507 })
    expect(fake.writes).toEqual([])
  })

  test('what only reads is not written down', async () => {
    const { post, fake } = await rig()
    await post('status')
    await post('points')
    expect(fake.audits).toEqual([])
  })

  test('a name that could harm a log is not taken over', async () => {
    const { post, fake } = await rig()
    await post('ack', { all: true }, { 'gatehouse-caller': 'li; rm -rf' })
    expect(fake.audits[0]!.by).toBe('cli:unknown')
  })

  test('is brought to its end when the caller hangs up', async () => {
    const { path, fake } = await rig()
    let release: () => void = () => undefined
    fake.writeWaits = new Promise((resolve) => (release = resolve))
    const sent = request({ socketPath: path, path: '/v1/write', method: 'POST', agent: false })
    sent.on('error', () => undefined)
    sent.end(JSON.stringify({ point: 'pump_1.setpoint', value: 1 }))
    await vi.waitFor(() => expect(fake.writes).toHaveLength(1))
    sent.destroy()
    release()
    await vi.waitFor(() => expect(fake.audits.map(({ phase }) => phase)).toEqual(['begun', 'ended']))
  })
})

describe('watch', () => {
  async function watch(path: string, pattern: string): Promise<{ sent: ClientRequest; next: () => Promise<unknown> }> {
    const sent = request({ socketPath: path, path: '/v1/watch', method: 'POST', agent: false })
    sent.on('error', () => undefined)
    sent.end(JSON.stringify({ pattern }))
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    response.on('error', () => undefined)
    const lines = linesOf(response)
    return { sent, next: async () => JSON.parse((await lines.next()).value!) }
  }

  async function* linesOf(response: IncomingMessage): AsyncGenerator<string, undefined> {
    let text = ''
    for await (const part of response.setEncoding('utf8')) {
      text += part
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
        yield text.slice(0, end)
        text = text.slice(end + 1)
      }
    }
  }

  test('says the present state, then each change, and stops listening when the watcher leaves', async () => {
    const { path, fake } = await rig()
    const { sent, next } = await watch(path, 'pump_1.outlet_*')
    expect(await next()).toMatchObject({ point: 'pump_1.outlet_pressure', value: 0.31, quality: 'good', unit: 'MPa' })
    // Unchanged, of another device, then changed: only the last is news.
    fake.turn([{ point: 0, mono: 1_000_000, quality: 'good', value: 0.31 }])
    fake.turn([{ point: 3, mono: 1_000_000, quality: 'good', value: 17 }])
    fake.turn([{ point: 0, mono: 1_000_100, quality: 'bad', cause: { kind: 'exception', code: 2 } }])
    expect(await next()).toMatchObject({ value: null, quality: 'bad', cause: 'exception:2' })
    expect(fake.listeners()).toBe(1)
    sent.destroy()
    await vi.waitFor(() => expect(fake.listeners()).toBe(0))
  })

  test('one too many is told so', async () => {
    const { path, post } = await rig({ streamsMax: 1 })
    const { next } = await watch(path, '*')
    await next()
    expect(await post('watch', {})).toMatchObject({ status: 503, body: { error: { code: 'E_BUSY' } } })
  })
})
