/** Where a value lies, as a driver writes it. */
import type { Place } from '../model/point.ts'
import { partText } from '../protocols/textline/index.ts'

export function placeText(place: Place): string {
  switch (place.protocol) {
    case 'modbus': {
      const where = place.model === undefined ? place.table : `model ${place.model.id}`
      const bits = place.bits === undefined ? '' : ` bits ${place.bits.join('-')}`
      return `${where} ${place.address}${place.bit === null || place.as !== 'bit' ? bits : ` bit ${place.bit}`}`
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
