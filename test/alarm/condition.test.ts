import { describe, expect, it } from 'vitest'
import { CEL_WORDS, checkCondition, compileCondition, createEnvironment } from '../../src/alarm/condition.ts'
import type { View } from '../../src/image/image.ts'
import type { Value } from '../../src/model/point.ts'
import type { Sample } from '../../src/model/sample.ts'

const environment = createEnvironment([
  {
    id: 'pump_1',
    points: [
      { index: 0, key: 'pressure', type: 'f64' },
      { index: 1, key: 'running', type: 'bool' },
      { index: 2, key: 'mode', type: 'str', labels: ['stopped', 'auto', 'fault'] },
      { index: 3, key: 'energy', type: 'u64' },
    ],
  },
  { id: 'pump_2', points: [{ index: 4, key: 'running', type: 'bool' }] },
  { id: 'door', points: [{ index: 5, key: 'note', type: 'str' }] },
])
const site = { environment, device: null }
const inPump = { environment, device: 0, params: { low: 0.25, manual: true, word: 'auto' } }

type Given = Record<number, Value | ['stale' | 'rate', Value]>

function view(given: Given): View {
  return {
    get(point): Sample {
      const value = given[point]
      if (value === undefined || value === 'BAD') return { point, mono: 0, quality: 'bad', cause: { kind: 'timeout' } }
      if (Array.isArray(value)) return { point, mono: 0, quality: 'uncertain', value: value[1], cause: value[0] }
      return { point, mono: 0, quality: 'good', value }
    },
  }
}

function truth(source: string, given: Given, scope: Parameters<typeof compileCondition>[1] = site): string {
  return compileCondition(source, scope).evaluate(view(given))
}

function refusal(source: string, scope: Parameters<typeof compileCondition>[1] = site) {
  const check = checkCondition(source, scope)
  if (check.ok) throw new Error(`${source} was taken`)
  return check
}

describe('what integers cost nobody', () => {
  it.each([
    ['pump_1.pressure + 1 > 3', 2.5, 'yes'],
    ['pump_1.pressure > 80', 80, 'no'],
    ['pump_1.pressure - 1 > 5', 6.5, 'yes'],
    ['pump_1.pressure % 2 == 1', 7, 'yes'],
    ['-pump_1.pressure < -0x10', 17, 'yes'],
    ['pump_1.pressure >= 5u', 5, 'yes'],
    ['pump_1.pressure in [1, 2]', 2, 'yes'],
    ['2 * 40 <= pump_1.pressure', 80, 'yes'],
  ])('%s with %d is %s', (source, value, expected) => {
    expect(truth(source, { 0: value })).toBe(expected)
  })

  it('refuses an integer that no double can hold', () => {
    expect(refusal('pump_1.energy > 9007199254740993').message.en).toContain('too large')
  })

  it('compares a 64-bit counter that travels as text', () => {
    expect(truth('pump_1.energy > 9000000000000000', { 3: '18446744073709551615' })).toBe('yes')
  })
})

describe('an input that is not good is left out', () => {
  it.each<[string, Given, string]>([
    ['pump_1.running || pump_2.running', { 1: true, 4: 'BAD' }, 'yes'],
    ['pump_1.running || pump_2.running', { 1: 'BAD', 4: true }, 'yes'],
    ['pump_1.running || pump_2.running', { 1: 'BAD', 4: false }, 'unknown'],
    ['pump_1.running || pump_2.running', { 1: false, 4: 'BAD' }, 'unknown'],
    ['pump_1.running && pump_2.running', { 1: false, 4: 'BAD' }, 'no'],
    ['pump_1.running && pump_2.running', { 1: 'BAD', 4: false }, 'no'],
    ['pump_1.running && pump_2.running', { 1: 'BAD', 4: true }, 'unknown'],
    ['!pump_1.running && !pump_2.running', { 1: false, 4: ['stale', false] }, 'unknown'],
    ['pump_1.pressure > 3', { 0: ['rate', 9] }, 'unknown'],
    ['pump_1.pressure / 0 > 3', { 0: 9 }, 'unknown'],
    ['pump_1.mode in ["auto", "fault"]', { 2: 'BAD' }, 'unknown'],
    ['pump_1.running ? pump_2.running : pump_2.running', { 1: 'BAD', 4: true }, 'yes'],
    ['pump_1.running ? pump_2.running : !pump_2.running', { 1: 'BAD', 4: true }, 'unknown'],
    ['pump_1.running ? pump_2.running : false', { 1: false, 4: 'BAD' }, 'no'],
    ['bad(pump_1.pressure)', { 0: 'BAD' }, 'yes'],
    ['bad(pump_1.pressure)', { 0: ['stale', 1] }, 'no'],
    ['stale(pump_1.pressure)', { 0: ['stale', 1] }, 'yes'],
    ['stale(pump_1.pressure)', { 0: ['rate', 1] }, 'no'],
    ['bad(pump_1.pressure) || pump_1.pressure > 3', { 0: 'BAD' }, 'yes'],
  ])('%s with %j is %s', (source, given, expected) => {
    expect(truth(source, given)).toBe(expected)
  })

  it('never mistakes a value of another type for an answer', () => {
    expect(truth('pump_1.pressure > 3', { 0: 'open' })).toBe('unknown')
    expect(truth('pump_1.running', { 1: 1 })).toBe('unknown')
  })
})

describe('names', () => {
  it('lets the points of a device stand bare in its rules, and params.x', () => {
    expect(checkCondition('running && pressure < params.low', inPump)).toEqual({
      ok: true,
      inputs: [0, 1],
      limit: 0.25,
    })
    expect(truth('running && pressure < params.low', { 0: 0.2, 1: true }, inPump)).toBe('yes')
    expect(truth('pump_2.running && params.manual', { 4: true }, inPump)).toBe('yes')
    expect(truth('mode == params.word', { 2: 'auto' }, inPump)).toBe('yes')
  })

  it.each([
    ['pmup_1.running', 'no device is called pmup_1: did you mean pump_1?', 1],
    ['pump_1.presure > 3', 'pump_1 has no point presure: did you mean pressure?', 8],
    ['pump_1.running && pump_2.speed > 1', 'pump_2 has no point speed (it has running)', 26],
    ['pump_1.mode == "fualt"', 'this point is never "fualt": did you mean "fault"?', 16],
    ['pump_1.mode in ["auto", "run"]', 'this point is never "run" (it has stopped, auto, fault)', 25],
    ['pump_1', 'pump_1 is a device, not a value: name one of its points, as pump_1.pressure', 1],
    ['pump_1.running == 1', 'cannot work out true/false == a number: the types do not fit', 1],
    ['pump_1.pressure', 'comes to a number, not to true or false: compare it with something, as value > 0', 1],
    [
      'pump_1.pressure || pump_1.running',
      '&& and || join true/false: compare the value with something, as value > 0',
      1,
    ],
    ['pump_1.pressure = 3', 'a comparison is written ==', 17],
    ['pump_1.pressure >', 'the expression ends too early', 18],
    ['true', 'names no point: it would never change', 1],
    ['', 'the expression is empty', 1],
    ['bda(pump_1.pressure)', 'bda() cannot stand here: did you mean bad?', 1],
    ['bad(pump_1.pressure > 1)', 'bad() asks one point for its quality, as bad(pump_1.pressure)', 1],
  ])('%s: %s', (source, message, column) => {
    const flaw = refusal(source)
    expect(flaw).toMatchObject({ message: { en: message }, line: 1, column })
    expect(flaw.message.zh).toMatch(/[\u4e00-\u9fff]/)
  })

  it('names unknown points and parameters of a device by the nearest', () => {
    expect(refusal('presure < 1', inPump).message.en).toBe('pump_1 has no point presure: did you mean pressure?')
    expect(refusal('pressure < params.lwo', inPump).message.en).toBe('there is no parameter lwo: did you mean low?')
    expect(refusal('pressure < params.constructor', inPump).message.en).toContain('there is no parameter constructor')
  })

  it.each([
    'door.note.matches("(a+)+$")',
    '[1, 2].exists(x, x > pump_1.pressure)',
    'has(pump_1.pressure)',
    'type(pump_1.pressure) == double',
    'cel.bind(a, pump_1.pressure, a > 1)',
    'pump_1["running"]',
    '{"a": 1}.a > 1',
    'pump_1.running == null',
    '@',
    '"',
  ])('refuses %s at load with one line', (source) => {
    const flaw = refusal(source)
    expect(flaw.message.en).not.toBe('')
    expect(flaw.message.en).not.toContain('\n')
  })

  it('survives any length and depth', () => {
    expect(refusal('!'.repeat(100_000)).message.en).toContain('split it')
    expect(refusal(`${'!'.repeat(3900)}pump_1.running`).message.en).toContain('split it')
    expect(refusal(`${'('.repeat(1900)}pump_1.running${')'.repeat(1900)}`).message.en).toContain('split it')
  })
})

describe('the caret', () => {
  it('stands under the fault, also after wide letters and on a later line', () => {
    expect(refusal('door.note == "门" && pump_1.presure > 3').caret).toBe(
      'door.note == "门" && pump_1.presure > 3\n                            ^^^^^^^',
    )
    expect(refusal('pump_1.running &&\n  pump_2.speed > 1')).toMatchObject({
      line: 2,
      column: 10,
      caret: '  pump_2.speed > 1\n         ^^^^^',
    })
  })
})

describe('the limit', () => {
  it.each<[string, number | string | null]>([
    ['pump_1.pressure > 10', 10],
    ['10 < pump_1.pressure', 10],
    ['pump_1.pressure > 2 * 40', 80],
    ['pump_1.mode == "fault"', 'fault'],
    ['pump_1.running && pump_1.pressure > 10', 10],
    ['pump_1.pressure > 10 || pump_1.pressure < 1', null],
    ['pump_1.running', null],
    ['pump_1.running == true', null],
    ['pump_1.pressure > pump_1.energy', null],
  ])('of %s is %s', (source, limit) => {
    expect(checkCondition(source, site)).toMatchObject({ ok: true, limit })
  })
})

it('has as words of CEL what the language would read otherwise', () => {
  for (const word of 'in as for if type package namespace loop var int map string double break true false null'.split(
    ' ',
  )) {
    expect(CEL_WORDS.has(word), word).toBe(true)
    const named = createEnvironment([{ id: 'a', points: [{ index: 0, key: word, type: 'bool' }] }])
    // What the library does with such a name is no answer to the question that was meant.
    if (word === 'true') expect(checkCondition(word, { environment: named, device: 0 }).ok).toBe(false)
  }
  for (const word of ['running', 'pressure', 'pump_1', 'bad', 'stale', 'size']) expect(CEL_WORDS.has(word)).toBe(false)
})

it('evaluates 500 rules in far less than a millisecond', () => {
  const rules = Array.from({ length: 500 }, () =>
    compileCondition('pump_1.running && pump_1.pressure > 10 || pump_2.running', site),
  )
  const seen = view({ 0: 9, 1: true, 4: false })
  const run = (): void => rules.forEach((rule) => rule.evaluate(seen))
  for (let warm = 0; warm < 200; warm++) run()
  // The best of many rounds: what else the machine does meanwhile is not the question.
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < 50; round++) {
    const from = performance.now()
    run()
    best = Math.min(best, performance.now() - from)
  }
  const microsecondsEach = (best * 1000) / 500
  // 2 µs is the budget of a rule; measured about 0.2.
  expect(microsecondsEach).toBeLessThan(2)
})

it('a point named by a word of CEL is refused, not mistaken for the word', () => {
  const named = createEnvironment([{ id: 'a', points: [{ index: 0, key: 'double', type: 'bool' }] }])
  expect(refusal('double', { environment: named, device: 0 }).message.en).toBe(
    'double is a word of CEL and cannot be a name here',
  )
})
