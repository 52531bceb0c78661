import { expect, test } from 'vitest'
import { blockOf } from '../../src/protocols/modbus/index.ts'
import { createHealth } from '../../src/bus/health.ts'
import { rtu } from '../../src/protocols/modbus/framing.ts'
import {
  choose,
  depart,
  land,
  LINE_CHANGE_MS,
  nextBeat,
  type Schedule,
  type Seat,
  spread,
  type Task,
} from '../../src/bus/schedule.ts'
import type { BusLink } from '../../src/bus/timing.ts'
import { LINE, site } from './rig.ts'

function seatOf(periods: number[], more: Partial<Seat> = {}): Seat {
  const [device] = site({ devices: [{ address: 1, points: [] }] }).devices
  const seat: Seat = {
    device: device!,
    link: device!.link as BusLink,
    line: LINE,
    framing: rtu,
    flyingMax: 1,
    health: createHealth(),
    tasks: [],
    flying: 0,
    gapUntil: 0,
    holdUntil: 0,
    backoffUntil: 0,
    suspicion: null,
    identity: { answersAs: null, misaddressed: 0 },
    ...more,
  }
  seat.tasks = periods.map(
    (everyMs, at): Task => ({
      seat,
      block: blockOf({ points: [at], everyMs, table: 'holding', start: at, count: 1 }),
      question: { address: 1, body: new Uint8Array(5), writes: false, answerBytes: 4 },
      everyMs,
      origin: 0,
      due: 0,
      busy: false,
      urgent: false,
      rejected: false,
      lastMs: 0,
    }),
  )
  return seat
}

const schedule = (...seats: Seat[]): Schedule => ({
  seats,
  commands: [],
  demands: [],
  idle: [],
  lineChangeMs: LINE_CHANGE_MS,
  urgentInARow: 0,
})
const chosen = (state: Schedule, now: number): Task | string => {
  const choice = choose(state, now, LINE)
  return choice.kind === 'task' ? choice.task : choice.kind === 'wait' ? `wait ${choice.until}` : 'command'
}

test('the nearest deadline first, waiting otherwise', () => {
  const seat = seatOf([10_000, 1000])
  const [slow, fast] = seat.tasks
  const state = schedule(seat)
  expect(chosen(state, 0)).toBe(fast)
  depart(fast!, 0)
  land(seat, 5)
  fast!.busy = false
  expect(chosen(state, 5)).toBe(slow)
  slow!.due = 9000
  expect(chosen(state, 5)).toBe('wait 1000')
})

test('commands before demands before polls; a command passes back-off and hold, a demand only back-off', () => {
  const [seat, other] = [seatOf([1000]), seatOf([1000])]
  const state = schedule(seat, other)
  const task = seat.tasks[0]!
  state.demands.push({ task, expiresAt: 1e9 })
  seat.backoffUntil = 5000
  other.tasks[0]!.due = -100
  expect(chosen(state, 0)).toBe(task)
  seat.holdUntil = 300
  expect(chosen(state, 0)).toBe(other.tasks[0])
  // A question may get the late reply; a write cannot.
  state.commands.push({ seat, question: task.question, expiresAt: 1e9 })
  expect(chosen(state, 0)).toBe(other.tasks[0])
  state.commands[0] = { seat, question: { ...task.question, writes: true }, expiresAt: 1e9 }
  expect(chosen(state, 0)).toBe('command')
  seat.gapUntil = 50
  other.backoffUntil = 9000
  expect(chosen(state, 0)).toBe('wait 50')
})

test('a device under suspicion is asked one thing only, and its demands wait behind it', () => {
  const seat = seatOf([1000, 1000])
  const [first, second] = seat.tasks
  seat.suspicion = { task: second!, firstMissAt: 0, lastMissAt: 0, owed: 1, confirming: false, unconfirmed: 0 }
  const state = schedule(seat)
  expect(chosen(state, 0)).toBe(second)
  state.demands.push({ task: first!, expiresAt: 1e9 })
  expect(chosen(state, 0)).toBe(second)
  second!.busy = true
  expect(chosen(state, 0)).toBe('wait Infinity')
})

test('a silent device is probed with one request at a time, however many it may have in flight', () => {
  const seat = seatOf([1000, 1000], { flyingMax: 4 })
  depart(seat.tasks[0]!, 0)
  expect(chosen(schedule(seat), 0)).toBe(seat.tasks[1])
  seat.health.step = 1
  expect(chosen(schedule(seat), 0)).toBe('wait Infinity')
})

test('another line setting waits half a second for the present one', () => {
  const [here, there] = [seatOf([1000]), seatOf([1000], { line: { ...LINE, baud: 2400 } })]
  const state = schedule(there, here)
  here.tasks[0]!.due = 400
  expect(chosen(state, 400)).toBe(here.tasks[0])
  here.tasks[0]!.due = 600
  expect(chosen(state, 600)).toBe(there.tasks[0])
})

test('beats keep their grid: no drift, and missed ones are not caught up', () => {
  const task = { everyMs: 1000, origin: 250 }
  expect(nextBeat(task, 0)).toBe(250)
  expect(nextBeat(task, 250)).toBe(1250)
  expect(nextBeat(task, 1257)).toBe(2250)
  expect(nextBeat(task, 10_900)).toBe(11_250)
  expect(nextBeat({ everyMs: 0, origin: 0 }, 5)).toBe(Number.POSITIVE_INFINITY)
})

test('what a device rejects is asked once a minute', () => {
  const [task] = seatOf([1000]).tasks
  task!.rejected = true
  depart(task!, 500)
  expect(task!.due).toBe(60_500)
})

test('first reads are soon, later ones spread over the period', () => {
  const tasks = seatOf(Array.from({ length: 10 }, () => 60_000)).tasks
  spread(tasks, 1000, 0)
  expect(tasks.map(({ due }) => due)).toEqual([1000, 1025, 1050, 1075, 1100, 1125, 1150, 1175, 1200, 1225])
  expect(tasks.map((task) => nextBeat(task, task.due))).toEqual([
    61_000, 7000, 13_000, 19_000, 25_000, 31_000, 37_000, 43_000, 49_000, 55_000,
  ])
})
