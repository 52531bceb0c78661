/** What is installed on a box is the bundle: it must find its writer thread, its drivers, its native parts, and run the demo. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { installBundle, type Program as Installed } from '../bench/program.ts'
import { freePort, freshDir, type Program, type PyDevice, removeDir, start, startPymodbus, until } from './tools.ts'

let dir: string
let installed: Installed
let root: string

beforeAll(() => {
  dir = freshDir('bundle')
  installed = installBundle(dir)
  root = join(dirname(installed.command[1] ?? ''), '..')
})

afterAll(() => {
  removeDir(dir)
})

async function run(
  args: readonly string[],
  timeoutMs = 20_000,
): Promise<{ code: number | null; lines: readonly string[] }> {
  const program = start(join(root, 'bin/gatehouse'), args, { cwd: dir })
  const code = await Promise.race([
    new Promise<number | null>((resolve) => program.child.once('close', resolve)),
    new Promise<null>((resolve) => setTimeout(() => resolve(null), timeoutMs)),
  ])
  if (code === null) await program.kill('SIGKILL')
  return { code, lines: program.lines }
}

test('it is the bundle that runs, with its native parts and nothing of the source', async () => {
  expect(existsSync(join(root, 'dist/main.js'))).toBe(true)
  expect(existsSync(join(root, 'src'))).toBe(false)
  const { code, lines } = await run(['--version'])
  expect({ code, lines }).toEqual({
    code: 0,
    lines: [(createRequire(import.meta.url)(join(root, 'package.json')) as { version: string }).version],
  })
  // What stays outside is found from where the bundle lies.
  const outside = createRequire(join(root, 'dist/main.js'))
  for (const name of ['better-sqlite3', 'koffi', 'serialport', 'modbus-serial'])
    expect(outside.resolve(name)).toContain(name)
})

test('drivers and the demo site are found', async () => {
  const { code, lines } = await run(['check', '-c', join(root, 'config/demo/site.yaml')])
  expect(code, lines.join('\n')).toBe(0)
  const drivers = await run(['drivers', '--json'])
  expect(drivers.code, drivers.lines.join('\n')).toBe(0)
  expect(drivers.lines.join('')).toContain('pump/abb_acs580')
})

test('the daemon polls, keeps, judges a rule and stops in order', async () => {
  const port = await freePort()
  const data = join(dir, 'data')
  mkdirSync(data)
  writeFileSync(
    join(dir, 'site.yaml'),
    `
lab: true
site: {id: bundled}
gateway: {clock: auto}
buses: {plant: {wire: "modbus-tcp://127.0.0.1:${port}"}}
devices: {pump_1: {driver: pump/abb_acs580, bus: plant, address: 1}}
alarms:
  quiet: {when: "pump_1.frequency > 100000.0 || bad(pump_1.frequency)", priority: low, text: {en: Quiet, zh: 静}}
`,
  )
  let device: PyDevice | null = null
  let daemon: Program | null = null
  try {
    device = await startPymodbus(['tcp', String(port)])
    daemon = start(join(root, 'bin/gatehouse'), ['run', '-c', join(dir, 'site.yaml'), '-d', data], { cwd: dir })
    const { lines, child } = daemon
    await until('ready', () => {
      if (child.exitCode !== null) throw new Error(lines.join('\n'))
      return lines.some((line) => line.includes('"ready"'))
    })
    await until('committed samples', async () => {
      const { lines: said } = await run(['status', '--json', '-d', data])
      const status = JSON.parse(said.join('\n')) as { store: { samplesCommitted: number; durable: boolean } }
      return status.store.durable && status.store.samplesCommitted > 0
    })
    expect(await daemon.kill('SIGTERM')).toBe(0)
    // The writer thread was there: its files are.
    expect(readdirSync(data)).toEqual(expect.arrayContaining(['state.db', 'history.db']))
  } finally {
    await daemon?.kill('SIGKILL')
    await device?.kill()
  }
}, 40_000)

test('the demo runs to its last line', async () => {
  const { code, lines } = await run(['demo', '--for', '20s'], 50_000)
  expect(code, lines.slice(-15).join('\n')).toBe(0)
}, 60_000)
