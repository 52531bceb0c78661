/** What a device's own error code says, where its protocol has words for it. */
import { causeText, type Doubt, type Fault } from '../model/fault.ts'
import type { Text } from '../model/point.ts'
import type { Device, Site } from '../model/site.ts'
import { type Edition, reasonsOf } from '../protocols/dlt645/index.ts'

/** The edition of DL/T 645 that a device speaks, by its identifiers; null: another protocol. */
export function editionOf({ points }: Pick<Site, 'points'>, { link, points: own }: Device): Edition | null {
  if (link.kind !== 'bus' || link.protocol !== 'dlt645') return null
  const is1997 = own.some((index) => {
    const source = points[index]?.source
    return source?.from === 'field' && source.place.protocol === 'dlt645' && source.place.item.length === 4
  })
  return is1997 ? '1997' : '2007'
}

/** The meter's reasons in words, several joined. */
export function meterReasons(code: number, edition: Edition): Text {
  const texts = reasonsOf(code, edition).map(({ text }) => text)
  if (texts.length === 0) return { en: 'without a reason', zh: '未说明原因' }
  return { en: texts.map(({ en }) => en).join('; '), zh: texts.map(({ zh }) => zh).join('；') }
}

/** null: the cause's own word says it. */
export function reasonOf(site: Pick<Site, 'points'>, device: Device | undefined, cause: Fault | Doubt): Text | null {
  if (device === undefined || typeof cause === 'string' || cause.kind !== 'exception') return null
  const edition = editionOf(site, device)
  if (edition === null) return null
  const { en, zh } = meterReasons(cause.code, edition)
  const code = causeText(cause)
  return { en: `the meter refuses: ${en} (${code})`, zh: `电表拒绝：${zh}（${code}）` }
}
