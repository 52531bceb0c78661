import { expect, test } from 'vitest'
import { width } from '../../src/cli/table.ts'
import { draw, type Picture } from '../../src/simulate/screen.ts'
import { actsBetween } from '../../src/simulate/story.ts'

const picture = (alarms: number): Picture => ({
  title: 'Gatehouse  锦绣花园（演示）  12 s / 60 s',
  counts: 'read 1,613   committed 644   points good 416 of 422',
  cloud: { text: 'cloud NOT CONNECTED   waiting 2 batches   delivered 570 samples', up: false },
  values: Array.from({ length: 12 }, (_, k) => ({
    name: `lobby_air.temperature_${k}`,
    text: '21.5 °C',
    good: k !== 3,
  })),
  alarms: Array.from(
    { length: alarms },
    (_, k) => `high  1号生活泵故障，备用泵投入，请立即检查泵房电源与变频器故障码  (rule_${k})`,
  ),
  headings: { values: 'values', alarms: 'alarms', none: 'none', events: 'what happened' },
  events: Array.from(
    { length: 30 },
    (_, k) => `${k} s  something happened that is told in a sentence longer than the line can hold, much longer`,
  ),
  foot: 'Ctrl-C stops',
})

test('the screen fits 80 by 24, however much is wrong', () => {
  for (const alarms of [0, 1, 4]) {
    const lines = draw(picture(alarms), false)
    expect(lines.length).toBeLessThanOrEqual(23)
    for (const line of lines) expect(width(line)).toBeLessThanOrEqual(80)
    expect(lines.at(-2)).toContain('29 s')
  }
})

test('every act of the story happens once, in order, at any length', () => {
  for (const length of [12_000, 45_000, 60_000, 3_600_000]) {
    const acts = Array.from({ length: length / 100 }, (_, k) => actsBetween(k * 100, (k + 1) * 100, length)).flat()
    expect(acts).toEqual([
      'pump_trips',
      'line_cut',
      'button_pressed',
      'line_back',
      'pump_repaired',
      'button_released',
      'field_stops',
    ])
  }
})
