import { expect, test } from 'vitest'
import { runOn } from './rig.ts'

test('drivers show says where a value lies as we and as its maker say it', async () => {
  const { exit, lines } = await runOn(['drivers', 'show', 'meter/eastron_sdm630'])
  expect(exit).toBe(0)
  expect(lines.find((line) => line.startsWith('voltage_b'))).toMatch(
    /^voltage_b +input 2 \(manual: 30003\) f32 +V +fast/,
  )
})
