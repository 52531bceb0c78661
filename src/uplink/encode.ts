/** Text to bytes on the wire: gzip, or plain where it is so short that gzip would make it longer (uplink contract, section 5). */
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

const gzipAsync = promisify(gzip)

const PLAIN_BELOW_BYTES = 200
/** Above 6 the bytes stay nearly the same and the time doubles. */
const LEVEL = 6

/** In a thread of the pool: 48 KiB take longer than an alarm should wait. */
export async function pack(text: string): Promise<Uint8Array> {
  const plain = Buffer.from(text, 'utf8')
  return plain.byteLength < PLAIN_BELOW_BYTES ? plain : await gzipAsync(plain, { level: LEVEL })
}
