/** Text to bytes on the wire: gzip, or plain where it is so short that gzip would make it longer (uplink contract, section 5). */
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

const gzipAsync = promisify(gzip)

const PLAIN_BELOW_BYTES = 200
/** Above 6 the bytes stay nearly the same and the time doubles. */
const LEVEL = 6
/** Half the time of 6 for 5 % more bytes. */
const LEVEL_OF_MUCH = 3
/** Text. A line that takes more is no metered one: there the processor is what is short. */
const MUCH_BYTES_PER_SECOND = 512 * 1024

export type Pack = (text: string) => Promise<Uint8Array>

/** Of one uplink; it remembers how much it has packed lately. In a thread of the pool: 48 KiB take longer than an alarm should wait. */
export function createPack(mono: () => number): Pack {
  let since = Number.NEGATIVE_INFINITY
  let bytes = 0
  let wasMuch = false
  return async (text) => {
    const plain = Buffer.from(text, 'utf8')
    if (plain.byteLength < PLAIN_BELOW_BYTES) return plain
    const elapsedS = (mono() - since) / 1000
    if (elapsedS >= 1) {
      wasMuch = bytes >= MUCH_BYTES_PER_SECOND * elapsedS
      since = mono()
      bytes = 0
    }
    bytes += plain.byteLength
    const isMuch = wasMuch || bytes >= MUCH_BYTES_PER_SECOND
    return await gzipAsync(plain, { level: isMuch ? LEVEL_OF_MUCH : LEVEL })
  }
}
