/** What the reference says that a gateway must never write is closed as a whole: no word of it is left to a write or a probe. */
import { expect, test } from 'vitest'
import { closedOf } from '../../src/control/probing.ts'
import { siteOf } from '../driver/folder.ts'

/** Of each driver: table, first and last address. */
const NEVER = [
  // Every word of the calls moves a lift, not the first alone.
  ['elevator/inovance_nice3000plus', 'holding', 0x2000, 0x2005],
  ['elevator/inovance_nice3000plus', 'holding', 0x2010, 0x201b],
  ['elevator/inovance_nice3000plus', 'holding', 0x4000, 0x4000],
  ['elevator/inovance_nice3000plus', 'holding', 0x6000, 0x6004],
  ['elevator/invt_chv180', 'holding', 0x1000, 0x1000],
  ['elevator/invt_chv180', 'holding', 0x2000, 0x2000],
  ['elevator/invt_chv180', 'holding', 0x4000, 0x4001],
  // A key and its complement.
  ['generator/dse_gencomm', 'holding', 4104, 4105],
  ['generator/comap_intelilite4', 'coil', 4700, 4700],
  ['generator/mebay_dc9xd', 'holding', 0x2000, 0x2001],
  ['pump/constant_pressure_ptech', 'holding', 1399, 1399],
  ['pump/constant_pressure_ptech', 'holding', 1402, 1402],
  ['ups/apc_smart_ups', 'holding', 1536, 1539],
  ['ups/apc_smart_ups', 'holding', 1541, 1541],
  ['ups/meanwell_drs', 'holding', 176, 178],
  ['io/waveshare_relay_8ch', 'coil', 0xff, 0xff],
  ['io/waveshare_relay_8ch', 'coil', 0x1ff, 0x1ff],
  ['environment/jxct_weather_station', 'holding', 0x6002, 0x6002],
  ['water_treatment/level_pressure_transmitter', 'holding', 0, 1],
  ['meter/chint_dtsu666', 'holding', 6, 7],
  ['meter/chint_dtsu666', 'holding', 45, 46],
  ['meter/hiking_dds238', 'holding', 0, 1],
  ['meter/xintai_water', 'holding', 1, 4],
  ['meter/xintai_water', 'holding', 28, 29],
] as const

const drivers = [...new Set(NEVER.map(([driver]) => driver))]
const site = siteOf({
  'site.yaml': [
    'site: {id: s}\nbuses: {b: {wire: /dev/ttyS0}}\ndevices:',
    ...drivers.map((driver, n) => `  d_${n}: {driver: ${driver}, bus: b, address: ${n + 1}}`),
    '',
  ].join('\n'),
})

test.each(NEVER)('%s: %s %i to %i', (driver, table, first, last) => {
  const device = site.devices[drivers.indexOf(driver)]
  if (device === undefined) throw new Error('no device')
  const closed = closedOf(site, device).filter((each) => each.table === table)
  const open = Array.from({ length: last - first + 1 }, (_, n) => first + n).filter(
    (at) => !closed.some(({ start, end }) => start <= at && at < end),
  )
  expect(open).toEqual([])
})
