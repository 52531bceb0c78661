/** The broadcast of the time and the freeze of meters, as a site file says them. */
import { expect, test } from 'vitest'
import { check, siteOf } from '../driver/folder.ts'

const METER = 'a: {driver: meter/dlt645_2007_single_phase, bus: r, address: "000000000001"}'
const site = (setTime: string, devices = METER): string =>
  `site: {id: s}\nbuses: {r: {wire: /dev/ttyS0${setTime}}}\ndevices:\n  ${devices}\n`

test('off by default; taken as it is written', () => {
  expect(siteOf({ 'site.yaml': site('') }).buses[0]?.setTime).toBeUndefined()
  expect(siteOf({ 'site.yaml': site(', setTime: "10 3 * * *"') }).buses[0]?.setTime).toBe('10 3 * * *')
})

test('a time that is none', () => {
  expect(check({ 'site.yaml': site(', setTime: "70 3 * * *"') }).lines).toEqual([
    'site.yaml:2:40 setTime 70 3 * * * is no time: write minute, hour, day, month and weekday, such as "10 3 * * *"',
  ])
})

test('where nobody hears it', () => {
  const pump = 'p: {driver: pump/abb_acs580, bus: r, address: 1}'
  expect(check({ 'site.yaml': site(', setTime: "10 3 * * *"', pump) }).lines).toContain(
    'site.yaml:2:40 setTime: bus r has no DL/T 645 meter, and nothing else hears the time: remove it',
  )
})

test('a meter that is not frozen says so; all others are', () => {
  const [device] = siteOf({ 'site.yaml': site('', METER.replace('}', ', freeze: false}')) }).devices
  expect(device?.freeze).toBe(false)
  expect(siteOf({ 'site.yaml': site('') }).devices[0]).not.toHaveProperty('freeze')
})
