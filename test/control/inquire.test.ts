/** What may be asked by hand of a device of the site, and what is put on the wire for it. */
import { describe, expect, test } from 'vitest'
import type { CallContext } from '../../src/control/context.ts'
import { inquire } from '../../src/control/inquire.ts'
import { askBus, type Inquiry, questionFor } from '../../src/control/inquiry.ts'
import { OperationError } from '../../src/control/operation.ts'
import { SILENT } from '../../src/runtime/log.ts'
import { siteOf } from '../driver/folder.ts'

const BENCH = `
driver: io/bench
title: Bench
category: io
protocol: modbus
modbus: {holes: [input 20-29]}
polls: {fast: 1s}
points:
  level: {at: holding 3, as: u16, every: fast}
  reset: {at: holding 100, as: u16, forbidden: true, every: fast}
`
const DOOR = `
driver: access/bench
title: Door
category: access
protocol: modbus
polls: {fast: 1s}
points:
  card: {at: holding 0, as: string, length: 8, personal: true, every: fast}
`
const site = siteOf({
  'drivers/io/bench.yaml': BENCH,
  'drivers/access/bench.yaml': DOOR,
  'site.yaml': `site: {id: trial, name: Trial}
buses: {riser: {wire: "tcp://127.0.0.1:4196", line: 9600 8N1}}
devices:
  tank: {driver: io/bench, bus: riser, address: 1}
  door: {driver: access/bench, bus: riser, address: 2}
`,
})

async function ask(wanted: Omit<Inquiry, 'idle'>) {
  const asked: number[] = []
  const view = {
    site: () => site,
    wire: () => ({
      ask: async ({ question }: { question: { body: Uint8Array } }) => {
        asked.push(...question.body)
        return { kind: 'answer', bodies: [Uint8Array.of(3, 2, 0, 7)], ms: 12.345 }
      },
    }),
  }
  const context = { view, log: SILENT, caller: { name: 'li', role: 'engineer' }, signal: new AbortController().signal }
  const input = inquire.input.parse({ bus: 'riser', ...wanted })
  if (inquire.kind !== 'answer') return expect.unreachable()
  const answer = await inquire.answer(context as unknown as CallContext, input)
  return { asked, answer: inquire.output.parse(answer) }
}

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'answered',
    (error: unknown) => (error instanceof OperationError ? error.code : String(error)),
  )

describe('a device of the site', () => {
  test('what is open is read', async () => {
    const { asked, answer } = await ask({ protocol: 'modbus', address: 1, what: { at: 'holding 3' } })
    expect(asked).toEqual([3, 0, 3, 0, 1])
    expect(answer).toEqual({ outcome: 'answer', bodies: ['03020007'], fault: null, unreached: false, ms: 12.3 })
  })

  test.each([
    ['forbidden', 1, { at: 'holding 100' }],
    ['a stretch that holds a forbidden one', 1, { at: 'holding 96', count: 8 }],
    ['a hole', 1, { at: 'input 25' }],
    ['anything of one with something personal', 2, { at: 'holding 50' }],
    ['who such a one is', 2, { who: true }],
  ] as const)('%s is not', async (_what, address, what) => {
    expect(await codeOf(ask({ protocol: 'modbus', address, what }))).toBe('E_DENIED')
  })

  test('the same registers of a stranger may be read', async () => {
    expect(await codeOf(ask({ protocol: 'modbus', address: 9, what: { at: 'holding 100' } }))).toBe('answered')
  })
})

describe('there is no way to say a write', () => {
  const sweep: Omit<Inquiry, 'idle'>[] = [
    { protocol: 'modbus', address: 1, what: { at: 'coil 0' } },
    { protocol: 'modbus', address: 1, what: { at: 'holding 0', as: 'f64', order: 'DCBA' } },
    { protocol: 'modbus', address: 1, what: { who: true } },
    { protocol: 'dlt645', address: 'AAAAAAAAAAAA', what: { who: true } },
    { protocol: 'dlt645', address: '000000000001', what: { at: '00010000' } },
    { protocol: 'cjt188', address: 'AAAAAAAAAAAAAA', what: { who: true } },
    { protocol: 'mbus', address: 254, what: { who: true } },
  ]
  test.each(sweep.map((wanted) => [`${wanted.protocol} ${JSON.stringify(wanted.what)}`, wanted] as const))(
    '%s',
    (_, wanted) => {
      const question = questionFor({ ...wanted, idle: false })
      expect(question).toMatchObject({ writes: false })
    },
  )
})

describe('words that make no sense', () => {
  test.each([
    [{ protocol: 'modbus', address: 0, what: { at: 'holding 0' } }, 'unit'],
    [{ protocol: 'modbus', address: 256, what: { at: 'holding 0' } }, 'unit'],
    [{ protocol: 'modbus', address: 1, what: { at: 'holding 65535', count: 2 } }, ''],
    [{ protocol: 'modbus', address: 1, what: { at: 'register 5' } }, 'no place'],
    [{ protocol: 'dlt645', address: '12', what: { at: '00010000' } }, '12 digits'],
    [{ protocol: 'cjt188', address: '12', what: { who: true } }, '14 digits'],
    [{ protocol: 'mbus', address: '1234', what: { who: true } }, 'digits of the number'],
    [{ protocol: 'modbus', address: 1, what: { at: 'holding 0' }, line: '9600' }, 'line setting'],
  ] as const)('%o', async (wanted, says) => {
    const bus = { ask: () => expect.unreachable('it was asked') }
    expect(await askBus(bus, { ...wanted, idle: false })).toContain(says)
  })
})
