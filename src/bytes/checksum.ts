/** Checksums of field protocols. */

/** Polynomial A001 (8005 reflected), one entry per value of the low byte. */
const CRC16 = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1
  return crc
})

/**
 * CRC-16 of Modbus over Serial Line V1.02, 2.5.1.2: starts at FFFF, travels low byte first.
 * Over a frame together with its own CRC it is zero.
 */
export function crc16(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = 0xffff
  for (let at = start; at < end; at++) crc = (crc >> 8) ^ (CRC16[(crc ^ (bytes[at] ?? 0)) & 0xff] ?? 0)
  return crc
}

/** Sum of the bytes modulo 256, as DL/T 645, CJ/T 188 and M-Bus use it. */
export function sum8(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let sum = 0
  for (let at = start; at < end; at++) sum += bytes[at] ?? 0
  return sum & 0xff
}

/** CRC-16 of OSDP (IEC 60839-11-5): polynomial 1021, not reflected, starts at 1D0F, travels low byte first. */
export function crc16Osdp(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = 0x1d0f
  for (let at = start; at < end; at++) {
    crc ^= (bytes[at] ?? 0) << 8
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff
  }
  return crc
}
