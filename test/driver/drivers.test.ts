/** Every driver of the library: sound, proved by replay through the real codec and planner, with words in both languages. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Findings, findingText } from '../../src/driver/finding.ts'
import { lintDriver } from '../../src/driver/lint.ts'
import { openLibrary } from '../../src/driver/load.ts'
import { LIBRARY } from './folder.ts'

const opening = new Findings()
const library = openLibrary([LIBRARY], opening)

test('there is a vocabulary, and it is sound', () => {
  expect(opening.sorted()).toEqual([])
  expect(library.vocabulary.get('meter')?.get('energy_import')).toMatchObject({ unit: 'kWh' })
})

test('the library has its twelve models and more', () => {
  expect(library.names().length).toBeGreaterThanOrEqual(12)
})

describe.each(library.names())('%s', (name) => {
  const findings = new Findings()
  const driver = library.load(name)
  if (driver !== null) lintDriver(driver, library, findings)

  test('has no findings', () => {
    expect(existsSync(join(LIBRARY, `${name}.yaml`))).toBe(true)
    expect(opening.sorted().map((finding) => findingText(finding, 'en'))).toEqual([])
    expect(findings.sorted().map((finding) => findingText(finding, 'en'))).toEqual([])
    expect(driver).not.toBeNull()
  })

  test('says who proved it, and brings the bytes', () => {
    const { proven, proof } = driver!.data
    expect(proven === 'none').toBe(proof === undefined)
    expect(proof?.length).toBeGreaterThan(0)
  })

  test('speaks both languages', () => {
    const texts = [
      driver!.data.title,
      ...Object.values(driver!.data.alarms ?? {}).flatMap(({ text, advice }) => [text, advice]),
    ]
    for (const text of texts) expect(text).toMatchObject({ en: expect.any(String), zh: expect.any(String) })
  })
})
