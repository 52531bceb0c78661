/** `gatehouse check` as scripts and people see it, and what else complains of a site file. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { folder } from '../driver/folder.ts'
import { runOn } from './rig.ts'

const SOUND =
  'site: {id: a}\nbuses: {b: {wire: modbus-tcp://h}}\ndevices: {p: {driver: pump/abb_acs580, bus: b, address: 1}}\n'
const fileOf = (text: string): string => join(folder({ 'site.yaml': text }), 'site.yaml')

test('a site file with errors is complained of in its own language', async () => {
  const { exit, lines } = await runOn(['check', '-c', fileOf('site: {id: a, nmae: x}\nlanguage: zh\n')])
  expect(exit).toBe(78)
  expect(lines[0]).toMatch(/site\.yaml:1:15 site 中没有名为 nmae 的键；是否应为 name？$/)
  expect(lines[1]).toBe('1 个错误，0 个警告')
})

test('one is one', async () => {
  const file = fileOf(`${SOUND}store: {keep: {audit: 1d}}\n`)
  const { exit, lines } = await runOn(['check', '-c', file])
  expect([exit, lines[1]]).toEqual([1, '0 errors, 1 warning'])
})

test('what fits into the budget is there for programs too; null for a file with errors', async () => {
  const { exit, out } = await runOn(['check', '--json', '-c', fileOf(SOUND)])
  expect(exit).toBe(0)
  expect(JSON.parse(out)).toMatchObject({
    findings: [],
    store: {
      budgetBytes: 2 * 1024 ** 3,
      samplesPerDay: expect.any(Number),
      rawDaysFitting: expect.any(Number),
      rawDaysWanted: 7,
    },
  })
  expect(JSON.parse((await runOn(['check', '--json', '-c', fileOf('site: {}\n')])).out)).toMatchObject({ store: null })
})

test('other verbs say it on stderr, with --json as every error', async () => {
  const file = fileOf('site: {id: a, nmae: x}\n')
  const plain = await runOn(['simulate', '-c', file])
  expect([plain.exit, plain.out]).toEqual([78, ''])
  expect(plain.err).toMatch(/site\.yaml:1:15 unknown key nmae in site; did you mean name\?\n$/)
  const { exit, out, err } = await runOn(['simulate', '--json', '-c', file])
  expect([exit, out]).toEqual([78, ''])
  expect(JSON.parse(err)).toEqual({
    error: {
      code: 'E_CONFIG',
      message: expect.stringContaining('unknown key nmae'),
      hint: expect.stringContaining('gatehouse check'),
    },
  })
})
