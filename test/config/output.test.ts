import { describe, expect, test } from 'vitest'
import { strictest } from '../../src/config/output.ts'
import type { WriteRule } from '../../src/model/point.ts'
import { check, siteOf } from '../driver/folder.ts'

const BOARD = `driver: io/board
title: {en: Board, zh: 板}
category: io
protocol: modbus
line: 9600 8N1
points:
  di: {at: discrete 0}
  relay: {at: coil 0, write: {role: engineer, minOn: 5s, minOff: 1s, rate: 2s}}
`
const LIGHT = `driver: lighting/circuit
title: Light
category: lighting
protocol: composed
inputs:
  output: {required: true, write: {role: operator, minOn: 1s, minOff: 3s}}
  spare: {write: {}}
alarms:
  dark: {when: bad(spare), priority: low, text: D, do: [{write: output, value: true}]}
`
const FILES = { 'drivers/io/board.yaml': BOARD, 'drivers/lighting/circuit.yaml': LIGHT }
const yaml = (inputs: string, more = '') =>
  `site: {id: s}\nbuses: {b: {wire: /dev/ttyS0}}\ndevices:\n  io: {driver: io/board, bus: b, address: 1}\n` +
  `  hall: {driver: lighting/circuit, inputs: {${inputs}}}\n${more}`

describe('an output of a composed device', () => {
  const rule = (inputs: string, id: string, more = '') =>
    siteOf({ ...FILES, 'site.yaml': yaml(inputs, more) }).points.find((point) => point.id === id)?.write

  test('has the stricter of both rules', () => {
    expect(rule('output: io.relay', 'hall.output')).toEqual({
      role: 'engineer',
      min: null,
      max: null,
      step: null,
      readBack: true,
      minOnMs: 5000,
      minOffMs: 3000,
      rateMs: 2000,
    })
  })

  test('turned round, its on is the off of what is behind', () => {
    expect(rule('output: {from: io.relay, invert: true}', 'hall.output')).toMatchObject({
      minOnMs: 1000,
      minOffMs: 5000,
    })
  })

  test('through another composed device', () => {
    const more = '  stairs: {driver: lighting/circuit, inputs: {output: hall.output}}'
    expect(rule('output: io.relay', 'stairs.output', more)).toMatchObject({ role: 'engineer', minOnMs: 5000 })
  })

  test('that is not connected cannot be written', () => {
    expect(rule('output: io.relay', 'hall.spare')).toBeNull()
  })

  test('on what cannot be written is refused', () => {
    expect(check({ ...FILES, 'site.yaml': yaml('output: io.di') }).lines).toEqual(
      expect.arrayContaining([expect.stringMatching(/output is an output, and io\.di cannot be written/)]),
    )
  })
})

test('limits meet in the middle', () => {
  const rule: WriteRule = {
    role: 'operator',
    min: 5,
    max: 30,
    step: null,
    readBack: false,
    minOnMs: 0,
    minOffMs: 0,
    rateMs: 0,
  }
  const behind: WriteRule = { ...rule, role: 'viewer', min: 0, max: 20, step: 0.5, readBack: true, rateMs: 10 }
  expect(strictest(rule, behind, false)).toEqual({ ...rule, max: 20, step: 0.5, readBack: true, rateMs: 10 })
  expect(strictest({ ...rule, min: null, max: null }, behind, false)).toMatchObject({ min: 0, max: 20 })
})
