/** What the READMEs show must be true: their files pass the check, their proof replays. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { checkSite } from '../src/config/check.ts'
import { checkDriverFile } from '../src/driver/lint.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
let folder = ''

afterEach(() => rmSync(folder, { recursive: true, force: true }))

function yamlBlocks(name: string): string[] {
  return [...readFileSync(join(ROOT, name), 'utf8').matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? '')
}

describe.each(['README.md', 'README.zh-CN.md'])('%s', (name) => {
  const [site = '', driver = ''] = yamlBlocks(name)

  test('its first site passes the check', () => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-readme-'))
    writeFileSync(join(folder, 'site.yaml'), site)
    const { findings } = checkSite(join(folder, 'site.yaml'), { libraries: [join(ROOT, 'drivers')] })
    expect(findings).toEqual([])
  })

  test("its driver's proof replays", () => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-readme-'))
    mkdirSync(join(folder, 'drivers/meter'), { recursive: true })
    const file = join(folder, 'drivers/meter/my_meter.yaml')
    writeFileSync(file, driver)
    const findings = checkDriverFile(file, [join(folder, 'drivers'), join(ROOT, 'drivers')])
    expect(findings.filter(({ severity }) => severity === 'error')).toEqual([])
    writeFileSync(file, driver.replace('230.2}', '231.2}'))
    expect(checkDriverFile(file, [join(folder, 'drivers'), join(ROOT, 'drivers')]).length).toBeGreaterThan(0)
  })
})
