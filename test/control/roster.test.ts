/** What a running bus says to somebody who looks for more devices on it. */
import { expect, test } from 'vitest'
import { rosterOf } from '../../src/control/roster.ts'
import { siteOf } from '../driver/folder.ts'

const site = siteOf({
  'site.yaml': `site: {id: s}
buses:
  riser: {wire: /dev/ttyS1, line: 9600 8N1}
  plain: {wire: /dev/ttyS2}
  meters: {wire: /dev/ttyS3}
  server: {wire: "tcp://10.1.1.30:4196", line: 2400 8E1}
devices:
  power: {driver: meter/eastron_sdm120, bus: riser, address: 5}
  flat: {driver: meter/dlt645_2007_single_phase, bus: riser, line: 2400 8E1, address: "000000000161"}
  heat: {driver: meter/mbus_heat, bus: riser, line: 2400 8E1, address: "12345678"}
  air: {driver: environment/xy_md02, bus: plain, address: 1}
  cold: {driver: meter/mbus_water, bus: meters, address: 3}
`,
})
const of = (id: string) => rosterOf(site, site.buses.find((bus) => bus.id === id) ?? expect.unreachable())

test('its devices by the addresses that a search names, and the settings in use', () => {
  expect(of('riser')).toEqual({
    bus: 'riser',
    line: '9600 8N1',
    lines: ['9600 8N1', '2400 8E1'],
    devices: ['modbus 5', 'dlt645 000000000161', 'mbus 12345678'],
    names: ['power', 'flat', 'heat', 'air', 'cold', 'riser', 'plain', 'meters', 'server'],
  })
})

test('a port that says nothing has the usual setting: nothing else is tried while its devices are asked', () => {
  expect(of('plain')).toMatchObject({ line: null, lines: ['9600 8N1'] })
  expect(of('meters')).toMatchObject({ line: null, lines: ['2400 8E1'], devices: ['mbus 3'] })
  expect(of('server')).toMatchObject({ line: '2400 8E1', lines: ['2400 8E1'], devices: [] })
})
