/** A device that speaks Modbus ASCII on its line: its driver says so. */
import { expect, test } from 'vitest'
import type { DeviceLink, Site } from '../../src/model/site.ts'
import { siteOf } from '../driver/folder.ts'

const DRIVER = `driver: io/old
title: Old controller
category: io
protocol: modbus
line: 9600 7E1
modbus: {ascii: true}
points:
  level: {at: holding 3, as: u16}
`

function linkOf(site: Site, id: string): DeviceLink | undefined {
  return site.devices.find((device) => device.id === id)?.link
}

test('reaches the link of the device, with its line', () => {
  const site = siteOf({
    'drivers/io/old.yaml': DRIVER,
    'drivers/io/new.yaml': DRIVER.replace('io/old', 'io/new').replace('modbus: {ascii: true}\n', ''),
    'site.yaml': `site: {id: s}
buses: {b: {wire: /dev/ttyS0}}
devices:
  old_1: {driver: io/old, bus: b, address: 1}
  new_1: {driver: io/new, bus: b, address: 2}
`,
  })
  expect(linkOf(site, 'old_1')).toMatchObject({
    ascii: true,
    line: { baud: 9600, dataBits: 7, parity: 'E', stopBits: 1 },
  })
  expect(linkOf(site, 'new_1')).not.toHaveProperty('ascii')
})
