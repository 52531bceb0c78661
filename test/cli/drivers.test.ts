import { expect, test } from 'vitest'
import { width } from '../../src/cli/table.ts'
import { runOn } from './rig.ts'

test('drivers show says where a value lies as we and as its maker say it', async () => {
  const { exit, lines } = await runOn(['drivers', 'show', 'meter/eastron_sdm630'])
  expect(exit).toBe(0)
  expect(lines.find((line) => line.startsWith('voltage_b'))).toMatch(
    /^voltage_b +input 2 \(manual: 30003\) f32 +V +fast/,
  )
})

test.each(['en', 'zh'])('drivers show fits into 80 columns, whatever its source (%s)', async (language) => {
  for (const name of ['meter/eastron_sdm630', 'io/waveshare_relay_8ch', 'pump/abb_acs580']) {
    const { exit, lines } = await runOn(['drivers', 'show', name, '--lang', language])
    expect(exit).toBe(0)
    for (const line of lines) expect(width(line), line).toBeLessThanOrEqual(80)
  }
})

test('what drivers does not know is answered with what it knows', async () => {
  const foo = await runOn(['drivers', 'foo', '--lang', 'zh'])
  expect(foo.exit).toBe(2)
  expect(foo.err).toContain('drivers 没有 "foo" 这种用法')
  expect(foo.err).toContain('drivers show ID')
  expect((await runOn(['drivers', 'meter/eastron_sdm630', '--lang', 'en'])).err).toContain(
    'did you mean gatehouse drivers show meter/eastron_sdm630?',
  )
  expect((await runOn(['drivers', 'show', '--lang', 'en'])).err).toContain('drivers show: say which')
})
