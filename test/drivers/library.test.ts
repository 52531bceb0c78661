import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { printHex } from '../../src/bytes/hex.ts'
import { Findings, findingText } from '../../src/driver/finding.ts'
import { checkDriverFile, lintDriver } from '../../src/driver/lint.ts'
import type { Model } from '../../src/driver/model.ts'
import { CATEGORIES } from '../../src/driver/schema.ts'
import { modbus } from '../../src/protocols/modbus/index.ts'
import { FOLDER, fieldPoints, LIBRARY, modelOf, NAMES } from './library.ts'

/** Units that people and the cloud know; a new one is added here on purpose, not by a slip of the pen. */
const UNITS = new Set(
  'V A W kW var kvar VA kVA kWh kvarh kVAh Hz % °C %RH hPa kPa MPa ppm µg/m³ mg/l mg/kg µS/cm NTU dB lx m/s ° mm m m³ m³/h rpm N·m mV MΩ h min s'.split(
    ' ',
  ),
)
/** Devices with a network plug and no serial line. */
const ONLY_TCP = ['ev_charger/alfen_eve', 'ev_charger/keba_p30_p40']
const HAN = /\p{Script=Han}/u

const file = (name: string): string => join(FOLDER, `${name}.yaml`)
const said = (path: string, folders: readonly string[] = []): readonly string[] =>
  checkDriverFile(path, folders).map((finding) => findingText(finding, 'en'))

const byName = (a: string | undefined, b: string | undefined): number => (a ?? '').localeCompare(b ?? '')

test('the library has the kinds of equipment that a community has', () => {
  expect(NAMES.length).toBeGreaterThanOrEqual(45)
  expect([...new Set(NAMES.map((name) => name.split('/')[0]))].toSorted(byName)).toEqual(
    [...CATEGORIES].toSorted(byName),
  )
})

describe.each(NAMES)('%s', (name) => {
  const model: Model = modelOf(name)
  const { data, drafts, alarms } = model

  test('loads, its conditions type-check and its proofs come out, without a warning', () => {
    const driver = LIBRARY.load(name)
    if (driver === null) throw new Error('does not load')
    const found = new Findings()
    lintDriver(driver, LIBRARY, found)
    expect(found.sorted().map((finding) => findingText(finding, 'en'))).toEqual([])
  })

  test('says what it is and where its facts come from', () => {
    expect(data.brick).toMatch(/^[A-Z]\w+$/)
    expect(data.source?.length).toBeGreaterThan(20)
    expect(['computed', 'capture']).toContain(data.proven)
    if (data.protocol === 'modbus' && !ONLY_TCP.includes(name)) expect(data.line).toBeDefined()
    // What the reference marks as contradictory has no place in a file that drives equipment.
    expect(readFileSync(file(name), 'utf8')).not.toMatch(/conf(idence)?:? ?D\b/)
  })

  test('speaks both languages', () => {
    const texts = [
      ...drafts.map((draft) => ({ of: draft.key, text: draft.title })),
      ...alarms.flatMap(({ key, text, advice }) => [
        { of: `alarms.${key}`, text },
        { of: `alarms.${key}.advice`, text: advice },
      ]),
      ...Object.entries(data.params ?? {}).map(([key, { text }]) => ({ of: `params.${key}`, text })),
      { of: 'title', text: data.title },
    ]
    for (const { of, text } of texts) {
      expect(text, of).toMatchObject({ en: expect.any(String), zh: expect.stringMatching(HAN) })
      expect(typeof text === 'object' && text !== null && 'en' in text && text.en, of).not.toMatch(HAN)
    }
  })

  test('uses known units, and standard names where it has no words of its own', () => {
    const words = LIBRARY.vocabulary.get(data.category ?? '')
    for (const draft of drafts) {
      if (draft.unit !== null) expect(UNITS, draft.key).toContain(draft.unit)
      if (draft.std !== null) expect(words?.get(draft.std), draft.key).toBeDefined()
    }
  })

  test('a number that trembles has a deadband, a counter is one', () => {
    for (const { key, kind, type, unit, deadband, source } of drafts) {
      if (source.from !== 'field' || type !== 'f64' || unit === null) continue
      if (/^(k?W|kVA)?h$|^kvarh$|^m³$/.test(unit) && !/^max_|^remaining/.test(key)) expect(kind, key).toBe('counter')
      else if (kind === 'gauge' && !/_time$|_offset$|^setpoint$|^battery$|^min_|^max_/.test(key)) {
        expect(deadband, key).toBeGreaterThan(0)
      }
    }
  })

  test('what must never be written cannot be, and what can be has rules', () => {
    for (const draft of drafts) {
      if (draft.forbidden) expect(draft.write, draft.key).toBeNull()
      if (draft.write === null || draft.source.from !== 'field') continue
      // What is only written cannot be read back; what publishes tells its new state by itself.
      const { everyMs, place } = draft.source
      expect(draft.write.readBack, draft.key).toBe(everyMs !== null || place.protocol === 'payload')
      if (draft.type !== 'bool')
        expect(draft.write, draft.key).toMatchObject({ min: expect.any(Number), max: expect.any(Number) })
    }
  })

  test('has a proof that says what comes out', () => {
    const proofs = data.proof ?? []
    expect(proofs.length).toBeGreaterThan(0)
    const steps = proofs.flatMap((proof) => proof.steps ?? [])
    if (data.protocol !== 'composed') return
    // Each alarm of contacts is seen raised, and there is a moment at which none is.
    const raised = new Set(steps.flatMap((step) => step.alarms ?? []))
    expect([...raised].toSorted(byName)).toEqual(alarms.map(({ key }) => key).toSorted(byName))
    expect(steps.some((step) => step.alarms?.length === 0)).toBe(true)
  })

  // Devices of other protocols are read whole by their own proofs above.
  if (data.protocol !== 'modbus') return
  const protocol = modbus
  test('every request that the planner makes is proven, and every point', () => {
    const points = fieldPoints(model)
    const proofs = data.proof ?? []
    // The unit is the device's affair; what it is asked is ours.
    const planned = protocol.plan(points, model.limits, new Set()).map((block) => printHex(block.ask(1).body))
    const proven = proofs
      .filter((proof) => proof.plan)
      .map(({ request, framing }) => (request ?? '').replaceAll(' ', '').slice(...(framing === 'tcp' ? [14] : [2, -4])))
    expect(proven.toSorted()).toEqual(planned.toSorted())
    const sampled = new Set(proofs.flatMap((proof) => Object.keys(proof.samples ?? {})))
    const written = new Set(proofs.flatMap((proof) => Object.keys(proof.write ?? {})))
    for (const point of points) {
      const isRead = point.source.from === 'field' && point.source.everyMs !== null
      if (isRead && point.kind !== 'bits') expect(sampled, point.key).toContain(point.key)
      // Of eight relays that are alike one is enough.
      const isOne = point.write !== null && !/_[2-9]$|_\d\d$/.test(point.key)
      if (isOne && !isRead) expect(written, point.key).toContain(point.key)
    }
  })
})

describe('vocabulary', () => {
  test('every name has words in both languages, a known unit and a Brick class', () => {
    for (const [category, words] of LIBRARY.vocabulary) {
      for (const [name, { unit, title, brick }] of words) {
        const of = `${category}.${name}`
        expect(title.zh, of).toMatch(HAN)
        expect(title.en, of).not.toMatch(HAN)
        expect(brick, of).toMatch(/^[A-Za-z][\w.]+$/)
        if (unit !== null) expect(UNITS, of).toContain(unit)
      }
    }
  })

  test('a name has the same unit in every category', () => {
    const units = new Map<string, Set<string | null>>()
    for (const words of LIBRARY.vocabulary.values()) {
      for (const [name, { unit }] of words) units.set(name, (units.get(name) ?? new Set()).add(unit))
    }
    for (const [name, seen] of units) expect([...seen], name).toHaveLength(1)
  })
})

describe('the checks above can fail', () => {
  const desk = mkdtempSync(join(tmpdir(), 'gatehouse-drivers-'))
  afterAll(() => rmSync(desk, { recursive: true, force: true }))

  const changed = (name: string, from: string, to: string): readonly string[] => {
    const text = readFileSync(file(name), 'utf8')
    expect(text).toContain(from)
    const path = join(desk, `${name}.yaml`)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text.replace(from, to))
    return said(path, [FOLDER])
  }

  test('a wrong sample', () => {
    expect(changed('meter/eastron_sdm120', 'voltage: 231.4', 'voltage: 231.5').join('\n')).toMatch(/231\.4/)
  })
  test('a wrong address', () => {
    expect(changed('environment/xy_md02', 'at: input 2,', 'at: input 3,').length).toBeGreaterThan(0)
  })
  test('a torn reply', () => {
    expect(changed('environment/renke_rs_ws_n01', 'reply: "01 03 04', 'reply: "01 03 05').length).toBeGreaterThan(0)
  })
  test('a request that the planner would not make', () => {
    expect(changed('io/lctech_relay_8ch', '  di_8: {at: discrete 7, every: inputs}\n', '').length).toBeGreaterThan(0)
  })
  test('a unit beside the standard', () => {
    expect(changed('pump/constant_pressure_ptech', 'unit: MPa, every', 'unit: bar, every').join('\n')).toMatch(/MPa/)
  })
  test('a delay that is not as it was proven', () => {
    expect(changed('elevator/dry_contacts', 'default: 180s', 'default: 240s').join('\n')).toMatch(/entrapment/)
    expect(changed('access/door_contacts', 'default: 30s', 'default: 31s').join('\n')).toMatch(/held/)
  })
  test('a card read otherwise', () => {
    expect(changed('access/serial_card_reader', 'card: uid,', 'card: uid_reversed,').join('\n')).toMatch(/uid:78563412/)
  })
  test('another place in a message', () => {
    expect(changed('access/uhppoted_door', 'at: direction-text', 'at: direction').join('\n')).toMatch(/direction/)
  })
  test('a misspelt point in a condition', () => {
    expect(changed('elevator/dry_contacts', 'when: alarm_button', 'when: alarm_buton').join('\n')).toMatch(
      /alarm_buton/,
    )
  })
})
