import { describe, expect, it } from 'vitest'
import { CHATTER, RETURNED_MAX } from '../../src/alarm/entry.ts'
import { Bench, EPOCH } from './bench.ts'
import { makeRule } from './site.ts'

const HIGH = makeRule('pump_1.high', 'current > params.limit', { device: 0, priority: 'critical' })

describe('one occurrence', () => {
  it('travels as the uplink contract says', () => {
    const bench = new Bench([HIGH])
    bench.mono = 500
    expect(bench.read(1, 12.5)).toBe('raised:pump_1.high')
    expect(bench.last).toEqual({
      id: 'ID0',
      rv: 1,
      ev: 'raised',
      rule: 'pump_1.high',
      i: 'pump_1',
      place: { building: 'B3' },
      pri: 'critical',
      active: true,
      acked: false,
      shelved: null,
      suppressed: null,
      at: EPOCH + 500,
      raised: EPOCH + 500,
      inputs: { 'pump_1.current': 12.5 },
      limit: 10,
      n: 1,
      text: { en: 'pump_1.high', zh: 'pump_1.high' },
      advice: null,
      by: null,
    })
    expect(bench.board.live()).toMatchObject([{ no: 1, last: { id: 'ID0' } }])
  })

  it('has two axes: cleared then acknowledged, or the other way round', () => {
    const bench = new Bench([HIGH])
    bench.read(1, 11)
    expect(bench.read(1, 9)).toBe('cleared:pump_1.high')
    expect(bench.last).toMatchObject({ rv: 2, active: false, acked: false, inputs: { 'pump_1.current': 11 } })
    expect(bench.board.counts()).toEqual({ active: 0, unacknowledged: 1 })
    expect(bench.ack({ no: 1 }, 'cli:li')).toBe('acked:pump_1.high')
    expect(bench.last).toMatchObject({ rv: 3, active: false, acked: true, by: 'cli:li' })
    expect(bench.board.live()).toEqual([])
    expect([...bench.states]).toEqual([])

    bench.read(1, 11)
    expect(bench.last).toMatchObject({ id: 'ID1', rv: 1 })
    expect(bench.ack({ rule: 'pump_1.high' })).toBe('acked:pump_1.high')
    expect(bench.ack('all')).toBe('')
    expect(bench.board.counts()).toEqual({ active: 1, unacknowledged: 0 })
    expect(bench.read(1, 9)).toBe('cleared:pump_1.high')
    expect(bench.last).toMatchObject({ rv: 3, acked: true })
    expect(bench.board.live()).toEqual([])
  })

  it('never comes back from cleared: another raise is another occurrence', () => {
    const bench = new Bench([HIGH])
    for (const value of [11, 9, 11]) bench.read(1, value)
    expect(bench.board.live().map(({ no, last }) => [no, last.id, last.active])).toEqual([
      [1, 'ID0', false],
      [2, 'ID1', true],
    ])
  })

  it('keeps a bounded number of returned ones', () => {
    const bench = new Bench([HIGH])
    for (let round = 0; round < 3 * RETURNED_MAX; round++) {
      bench.read(1, 11)
      bench.read(1, 9)
      bench.wait(60)
    }
    expect(bench.board.live()).toHaveLength(RETURNED_MAX)
    expect(bench.transitions.filter(({ ev, by }) => ev === 'acked' && by === 'gatehouse')).toHaveLength(
      2 * RETURNED_MAX,
    )
  })

  it('an input that goes bad neither raises nor clears, and is null in the inputs', () => {
    const bench = new Bench([makeRule('lost', '!pump_1.running || !pump_2.running')])
    expect(bench.read(0, null)).toBe('')
    expect(bench.read(2, false)).toBe('raised:lost')
    expect(bench.last?.inputs).toEqual({ 'pump_1.running': null, 'pump_2.running': false })
    expect(bench.read(2, null)).toBe('')
    expect(bench.read(2, true)).toBe('')
    expect(bench.read(0, true)).toBe('cleared:lost')
  })
})

describe('delays', () => {
  it('end by themselves, and the board says when', () => {
    const bench = new Bench([{ ...HIGH, onDelayMs: 30_000, offDelayMs: 10_000 }])
    bench.step()
    expect(bench.board.nextDue()).toBeNull()
    bench.read(1, 11)
    expect(bench.board.nextDue()).toBe(30_000)
    expect(bench.wait(29)).toBe('')
    expect(bench.wait(1)).toBe('raised:pump_1.high')
    bench.read(1, 9)
    expect(bench.board.nextDue()).toBe(40_000)
    expect(bench.wait(10)).toBe('cleared:pump_1.high')
    expect(bench.board.nextDue()).toBeNull()
  })

  it('begin anew after a restart', () => {
    const bench = new Bench([{ ...HIGH, onDelayMs: 30_000 }])
    bench.read(1, 11)
    bench.wait(20)
    bench.restart()
    expect(bench.wait(0)).toBe('')
    expect(bench.wait(29)).toBe('')
    expect(bench.wait(1)).toBe('raised:pump_1.high')
  })

  it('a latched alarm stays active until it is acknowledged', () => {
    const bench = new Bench([{ ...HIGH, latch: true }])
    bench.read(1, 11)
    expect(bench.read(1, 9)).toBe('')
    bench.restart()
    expect(bench.step()).toBe('')
    expect(bench.ack({ no: 1 })).toBe('acked:pump_1.high cleared:pump_1.high')
    expect(bench.board.live()).toEqual([])
  })
})

describe('outputs are levels', () => {
  const lost = makeRule('lost', '!pump_1.running', { do: [{ point: 2, value: true, onClear: false }] })

  it('at once, with the edge', () => {
    const bench = new Bench([lost])
    bench.read(0, true)
    expect(bench.takeOutputs()).toBe('2=false')
    bench.read(0, false)
    expect(bench.outputs[0]).toEqual({ rule: 'lost', point: 2, value: true })
    expect(bench.takeOutputs()).toBe('2=true')
    bench.read(0, true)
    expect(bench.takeOutputs()).toBe('2=false')
  })

  it('without onClear nothing is written while normal', () => {
    const bench = new Bench([{ ...lost, do: [{ point: 2, value: true, onClear: null }] }])
    bench.read(0, true)
    bench.read(0, false)
    bench.read(0, true)
    expect(bench.takeOutputs()).toBe('2=true')
  })

  it('written again after a start, once the condition is known', () => {
    const bench = new Bench([lost])
    bench.read(0, false)
    bench.takeOutputs()
    bench.read(0, null)
    bench.restart()
    bench.step()
    expect(bench.takeOutputs()).toBe('')
    expect(bench.read(0, false)).toBe('')
    expect(bench.takeOutputs()).toBe('2=true')
  })
})

describe('a restart', () => {
  it('goes on with the same occurrence and does not raise again', () => {
    const bench = new Bench([HIGH])
    bench.read(1, 11)
    bench.restart()
    expect(bench.step([1])).toBe('')
    expect(bench.read(1, 12)).toBe('')
    expect(bench.read(1, 9)).toBe('cleared:pump_1.high')
    expect(bench.last).toMatchObject({ id: 'ID0', rv: 2 })
    bench.restart()
    expect(bench.ack({ no: 1 })).toBe('acked:pump_1.high')
    expect(bench.last?.rv).toBe(3)
    bench.read(1, 11)
    expect(bench.board.live().map((alarm) => alarm.no)).toEqual([2])
  })

  it('with a state that is none raises anew', () => {
    for (const text of ['', '{', '[]', '{"alarms":[{}]}', '{"alarms":7}']) {
      const bench = new Bench([HIGH])
      bench.states = new Map([['alarm.pump_1.high', text]])
      bench.restart()
      expect(bench.read(1, 11)).toBe('raised:pump_1.high')
    }
  })

  it('without the rule clears its alarm and keeps it for the acknowledgement', () => {
    const bench = new Bench([HIGH])
    bench.read(1, 11)
    bench.restart([])
    expect(bench.step()).toBe('cleared:pump_1.high')
    expect(bench.last).toMatchObject({ id: 'ID0', rv: 2, by: 'config' })
    bench.restart([])
    expect(bench.step()).toBe('')
    expect(bench.board.live()).toMatchObject([{ no: 1, last: { active: false, acked: false } }])
    expect(bench.ack({ no: 1 })).toBe('acked:pump_1.high')
    expect([...bench.states]).toEqual([])
  })
})

describe('a dead bus is one alarm', () => {
  const bus = 'bus_offline.pumps'
  const device = 'device_offline.pump_1'

  it('not one per device, however the order', () => {
    const bench = new Bench([HIGH])
    bench.read(1, 9)
    bench.fact(device, 'yes', 'timeout')
    bench.wait(4)
    bench.fact(bus, 'yes', 'closed')
    const seen = [1, 2, 3, 4, 30, 30, 600].map((seconds) => bench.wait(seconds))
    expect(seen.filter((words) => words !== '')).toEqual([`raised:${bus}`])
    expect(bench.last).toMatchObject({ pri: 'high', i: null, text: { en: expect.stringContaining('(closed)') } })
  })

  it('the children of another bus speak', () => {
    const bench = new Bench([])
    bench.fact(bus, 'yes')
    bench.fact('device_offline.pump_2', 'yes')
    bench.wait(10)
    expect(bench.wait(10)).toBe('raised:device_offline.pump_2')
  })

  it('a device gets its whole delay again when the bus is back', () => {
    const bench = new Bench([])
    bench.fact(device, 'yes')
    bench.wait(10)
    bench.fact(bus, 'yes')
    bench.wait(60)
    bench.fact(bus, 'no')
    bench.wait(14)
    expect(bench.transitions.filter(({ rule }) => rule === device)).toEqual([])
    expect(bench.wait(1)).toBe(`raised:${device}`)
  })

  it('an alarm that was active says that it is suppressed, also over a restart, and speaks again afterwards', () => {
    const bench = new Bench([HIGH])
    bench.read(1, 11)
    expect(bench.fact(bus, 'yes')).toContain('suppressed:pump_1.high')
    expect(bench.last).toMatchObject({ active: true, suppressed: 'bus:pumps', rv: 2 })
    bench.read(1, null)
    bench.restart()
    expect(bench.step()).toBe('')
    expect(bench.fact(bus, 'yes')).toBe('')
    bench.wait(10)
    expect(bench.fact(bus, 'no')).toBe('unsuppressed:pump_1.high')
    expect(bench.last).toMatchObject({ active: true, suppressed: null, rv: 3 })
    expect(bench.read(1, 9)).toBe('cleared:pump_1.high')
  })

  it('covers rules whose inputs all lie on it, through composition, and no others', () => {
    const bench = new Bench([
      makeRule('all_on_it', 'bad(lift_1.fault) || bad(pump_1.current)'),
      makeRule('half', 'bad(pump_1.current) || bad(pump_2.running)'),
      makeRule('elsewhere', 'bad(air.co2)'),
    ])
    bench.board.setFact(bus, 'yes')
    expect(bench.read(0, null)).toBe('raised:half raised:elsewhere')
    expect(bench.fact(bus, 'no')).toBe('raised:all_on_it')
  })

  it('takes its facts from what the field says', () => {
    const bench = new Bench([])
    bench.board.arrive({ kind: 'device', device: 0, mono: 0, state: 'offline', cause: { kind: 'timeout' } })
    bench.step()
    expect(bench.wait(15)).toBe(`raised:${device}`)
    expect(bench.last?.text).toEqual({ en: 'pump_1 does not answer', zh: 'pump_1 无应答' })
    bench.board.arrive({ kind: 'device', device: 0, mono: 0, state: 'online', cause: null })
    bench.step()
    expect(bench.wait(5)).toBe(`cleared:${device}`)
    bench.board.arrive({ kind: 'bus', bus: 1, mono: 0, state: 'offline', cause: { kind: 'closed' } })
    bench.step()
    expect(bench.wait(5)).toBe('raised:bus_offline.riser')
    expect(() => bench.board.setFact('disk_ful', 'yes')).toThrow('disk_ful')
  })
})

describe('chatter', () => {
  /** One raise and clear every two seconds. */
  function bounce(bench: Bench, times: number): void {
    for (let round = 0; round < times; round++) {
      bench.read(1, 11)
      bench.wait(1)
      bench.read(1, 9)
      bench.wait(1)
    }
  }

  it('is parked with a count: one raised alarm, updates at a slow pace, a still relay', () => {
    const bench = new Bench([{ ...HIGH, do: [{ point: 2, value: true, onClear: false }] }])
    bounce(bench, CHATTER.raisesMax)
    expect(bench.transitions).toHaveLength(2 * CHATTER.raisesMax)
    bench.transitions.length = 0
    bench.takeOutputs()
    bounce(bench, 61)
    const words = bench.transitions.filter(({ ev }) => ev !== 'acked').map(({ ev, n }) => `${ev} ${n}`)
    expect(words).toEqual(['raised 1', 'updated 30', 'updated 60'])
    expect(bench.takeOutputs()).toBe('2=true')
    expect(bench.board.counts().active).toBe(1)

    bench.transitions.length = 0
    for (let second = 0; second < 65; second++) bench.wait(1)
    expect(bench.transitions.map(({ ev, n }) => `${ev} ${n}`)).toEqual(['cleared 61'])
    expect(bench.takeOutputs()).toBe('2=false')
    expect(bench.board.nextDue()).toBeNull()
  })

  it('stays parked over a restart', () => {
    const bench = new Bench([HIGH])
    bounce(bench, CHATTER.raisesMax + 5)
    bench.transitions.length = 0
    bench.restart()
    bounce(bench, 10)
    expect(bench.transitions).toEqual([])
    for (let second = 0; second < 65; second++) bench.wait(1)
    expect(bench.transitions.map(({ ev }) => ev)).toEqual(['updated', 'cleared'])
  })

  it('a raise every ten seconds is none', () => {
    const bench = new Bench([HIGH])
    for (let round = 0; round < 30; round++) {
      bench.read(1, 11)
      bench.wait(5)
      bench.read(1, 9)
      bench.wait(5)
    }
    expect(bench.transitions.filter(({ ev }) => ev === 'cleared')).toHaveLength(30)
  })
})
