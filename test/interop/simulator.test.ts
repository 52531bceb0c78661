/** Serial buses of the simulator: a pseudo terminal by socat, opened by the gateway's own serial pipe. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { rtu } from '../../src/protocols/modbus/framing.ts'
import { SILENT } from '../../src/runtime/log.ts'
import { Scope } from '../../src/runtime/scope.ts'
import { openSimulator } from '../../src/simulate/simulator.ts'
import { openSerial } from '../../src/transport/serial.ts'
import type { Pipe } from '../../src/transport/transport.ts'
import { handClock, siteOf } from '../simulate/site.ts'

let scope = new Scope()
afterEach(async () => {
  await scope.close()
  scope = new Scope()
})

const QUESTION = { address: 3, body: Uint8Array.of(4, 0, 1, 0, 2), writes: false, answerBytes: 6 }

async function ask(path: string): Promise<Uint8Array> {
  const line = { baud: 9600, dataBits: 8, parity: 'N', stopBits: 1 } as const
  const pipe = await openSerial(path, line, { signal: scope.signal })
  if (pipe.kind !== 'pipe') throw new Error(pipe.why)
  const answer = await answerOn(pipe)
  await pipe.close()
  return answer
}

function answerOn(pipe: Pipe): Promise<Uint8Array> {
  return new Promise((resolve) => {
    let received = new Uint8Array(0)
    pipe.onData((chunk) => {
      received = Uint8Array.from([...received, ...chunk])
      const split = rtu.split(received, QUESTION)
      if (split.kind !== 'frame') return
      const verdict = rtu.judge(split.frame, QUESTION, 0)
      if (verdict.kind === 'answer') resolve(verdict.body.slice(2))
    })
    pipe.write(rtu.frame(QUESTION, 0))
  })
}

test('a line on a pseudo terminal answers, can be pulled out and plugged in, and opened again and again', async () => {
  const ptyFolder = await mkdtemp(join(tmpdir(), 'gatehouse-pty-'))
  scope.defer(() => rm(ptyFolder, { recursive: true, force: true }))
  const site = siteOf({
    buses: { riser: { kind: 'serial', path: '/dev/serial/by-path/none' } },
    devices: { air: { driver: 'environment/xy_md02', bus: 'riser', address: 3 } },
  })
  const simulator = await scope.open(
    openSimulator({ site, clock: handClock(), log: SILENT, seed: 1, portBase: 0, ptyFolder }),
  )
  const path = join(ptyFolder, 'riser')
  expect(simulator.buses).toEqual([{ id: 'riser', wire: path, address: { kind: 'serial', path }, devices: ['air'] }])
  simulator.set('air.temperature', 21.5)
  simulator.set('air.humidity', 60)
  expect([...(await ask(path))]).toEqual([0, 215, 2, 88])

  await simulator.pause('riser')
  await expect(ask(path)).rejects.toThrow()
  await simulator.resume('riser')
  expect([...(await ask(path))]).toEqual([0, 215, 2, 88])
})
