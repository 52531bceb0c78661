/** From the names that people type to points and devices of the site; what does not exist names the nearest that does. */
import { nearest } from '../derive/nearest.ts'
import type { Point } from '../model/point.ts'
import type { Bus, Device, Site } from '../model/site.ts'
import { pointsMatching } from './glob.ts'
import { OperationError } from './operation.ts'

export function findPoint(site: Site, id: string): Point {
  const found = site.points.find((point) => point.id === id)
  if (found !== undefined) return found
  const [device = ''] = id.split('.')
  findDevice(site, device)
  return absent(site, id)
}

export function findDevice(site: Site, id: string): Device {
  const found = site.devices.find((device) => device.id === id)
  if (found !== undefined) return found
  const near = nearest(
    id,
    site.devices.map((device) => device.id),
  )
  throw new OperationError(
    'E_NO_DEVICE',
    { en: `there is no device ${id}`, zh: `没有设备 ${id}` },
    near === null
      ? { en: '`gatehouse devices` lists them', zh: '用 gatehouse devices 列出所有设备' }
      : { en: `did you mean ${near}?`, zh: `是不是 ${near}？` },
  )
}

export function findBus(site: Site, id: string): Bus {
  const found = site.buses.find((bus) => bus.id === id)
  if (found !== undefined) return found
  const names = site.buses.map((bus) => bus.id)
  const near = nearest(id, names)
  throw new OperationError(
    'E_NO_DEVICE',
    { en: `there is no bus ${id}`, zh: `没有总线 ${id}` },
    near === null
      ? { en: `there are ${names.join(', ') || 'none'}`, zh: `现有：${names.join('、') || '无'}` }
      : { en: `did you mean ${near}?`, zh: `是不是 ${near}？` },
  )
}

/** At least one point, or an error: a pattern that matches nothing is a typing error. */
export function findPoints(site: Site, pattern: string): readonly Point[] {
  const found = pointsMatching(site, pattern)
  if (found.length > 0 || site.points.length === 0) return found
  throw new OperationError(
    'E_NO_POINT',
    { en: `no point matches ${pattern}`, zh: `没有点匹配 ${pattern}` },
    {
      en: "quote patterns ('pump_*.pressure'); `gatehouse points` lists all",
      zh: "通配符要加引号（'pump_*.pressure'）；用 gatehouse points 列出所有点",
    },
  )
}

function absent(site: Site, id: string): never {
  const near = nearest(
    id,
    site.points.map((point) => point.id),
  )
  const [device = ''] = id.split('.')
  throw new OperationError(
    'E_NO_POINT',
    { en: `there is no point ${id}`, zh: `没有点 ${id}` },
    near === null
      ? {
          en: `\`gatehouse points ${device}\` lists those of the device`,
          zh: `用 gatehouse points ${device} 列出该设备的点`,
        }
      : { en: `did you mean ${near}?`, zh: `是不是 ${near}？` },
  )
}
