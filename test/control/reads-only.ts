/** What may be put on a wire by whoever looks for devices: questions of these kinds and nothing else. */
import { parseFrame as parseCjt } from '../../src/protocols/cjt188/frame.ts'
import { parseFrame as parseDlt } from '../../src/protocols/dlt645/frame.ts'
import { parseFrame as parseMbus } from '../../src/protocols/mbus/frame.ts'

/** Reads of bits and registers, device identification. */
const MODBUS = [1, 2, 3, 4, 43]
/** Read, read follow-on data, read address; and read of the 1997 edition. */
const DLT645 = [0x11, 0x12, 0x13, 0x01]
/** Read, read address. */
const CJT188 = [0x01, 0x03]
/** SND_NKE and REQ_UD2 with either frame count bit. */
const MBUS = [0x40, 0x5b, 0x7b]
const SND_UD = [0x53, 0x73]
const CI_SELECT = 0x52
const SELECTED = 253

/** What a frame asks for, `modbus 3`, where that changes nothing; null: it is none of these. */
export function readAsked(sent: Uint8Array): string | null {
  // Wake-up bytes are no part of a frame.
  const bytes = sent.subarray(sent.findIndex((byte) => byte !== 0xfe))
  const mbus = parseMbus(bytes)
  if (mbus?.is === 'short') return MBUS.includes(mbus.control) ? `mbus ${mbus.control}` : null
  if (mbus?.is === 'long')
    return SND_UD.includes(mbus.control) && mbus.address === SELECTED && mbus.ci === CI_SELECT ? 'mbus select' : null
  const dlt = parseDlt(bytes)
  if (dlt !== null) return DLT645.includes(dlt.control) ? `dlt645 ${dlt.control}` : null
  const cjt = parseCjt(bytes)
  if (cjt !== null) return CJT188.includes(cjt.control) ? `cjt188 ${cjt.control}` : null
  const code = bytes[1] ?? 0
  return MODBUS.includes(code) ? `modbus ${code}` : null
}
