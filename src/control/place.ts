/** Where a value lies, as a driver writes it, and where its maker's manual has another number, that one too. */
import { manualNumber } from '../driver/place.ts'
import type { Place } from '../model/point.ts'
import { partText } from '../protocols/textline/index.ts'

export function placeText(place: Place, manual?: string): string {
  switch (place.protocol) {
    case 'modbus': {
      const where = place.model === undefined ? place.table : `model ${place.model.id}`
      const bits = place.bits === undefined ? '' : ` bits ${place.bits.join('-')}`
      const number = manual === undefined || place.model !== undefined ? null : manualNumber(place, manual)
      const maker = number === null ? '' : ` (manual: ${number})`
      return `${where} ${place.address}${place.bit === null || place.as !== 'bit' ? bits : ` bit ${place.bit}`}${maker}`
    }
    case 'payload':
      return place.path
    case 'dlt645':
      return place.item
    case 'cjt188':
      return `${place.item} ${place.field}`
    case 'mbus':
      return place.record
    case 'textline':
      return partText(place.part)
  }
}
