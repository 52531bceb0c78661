/**
 * Says what packets between an access controller and its readers are (OSDP, IEC 60839-11-5), for whoever listens on such a wire. A
 * reader's keys are counted and never shown, a card's number neither; what is encrypted stays so. Gatehouse does not poll readers.
 */
import { crc16Osdp } from '../../bytes/checksum.ts'
import { printHex } from '../../bytes/hex.ts'
import type { Text } from '../../model/point.ts'
import { readCard, readWiegand } from '../card.ts'
import { both, type Said, type SaidFrame } from '../explained.ts'

const MARK = 0xff
const SOM = 0x53
const REPLY = 0x80
const WITH_CRC = 0x04
const WITH_SECURITY = 0x08
/** SOM, address, length, control. */
const HEAD = 5
const LENGTH_MAX = 1440
const HIDDEN = '***'

const COMMANDS: Readonly<Record<number, string>> = {
  0x60: 'POLL',
  0x61: 'ID',
  0x62: 'CAP',
  0x64: 'LSTAT',
  0x65: 'ISTAT',
  0x66: 'OSTAT',
  0x67: 'RSTAT',
  0x68: 'OUT',
  0x69: 'LED',
  0x6a: 'BUZ',
  0x6b: 'TEXT',
  0x6e: 'COMSET',
  0x75: 'KEYSET',
  0x76: 'CHLNG',
  0x77: 'SCRYPT',
  0x80: 'MFG',
}
const REPLIES: Readonly<Record<number, string>> = {
  0x40: 'ACK',
  0x41: 'NAK',
  0x45: 'PDID',
  0x46: 'PDCAP',
  0x48: 'LSTATR',
  0x49: 'ISTATR',
  0x4a: 'OSTATR',
  0x4b: 'RSTATR',
  0x50: 'RAW',
  0x51: 'FMT',
  0x53: 'KEYPAD',
  0x54: 'COM',
  0x76: 'CCRYPT',
  0x78: 'RMAC_I',
  0x79: 'BUSY',
  0x90: 'MFGREP',
  0xb1: 'XRD',
}
const NAK_REASONS: Readonly<Record<number, Text>> = {
  1: both('bad checksum or CRC', '校验错'),
  2: both('wrong length', '长度错'),
  3: both('unknown command', '未知命令'),
  4: both('wrong sequence number', '序号错'),
  5: both('a secure channel is required', '需要安全通道'),
  6: both('this security is not supported', '不支持该安全方式'),
  7: both('this kind of biometry is not supported', '不支持该生物识别类型'),
  8: both('this format is not supported', '不支持该格式'),
  9: both('the record cannot be handled', '无法处理该记录'),
}

export function explainOsdp(bytes: Uint8Array): Said {
  const frames: SaidFrame[] = []
  const junk: number[] = []
  let firstJunk = -1
  for (let at = 0; at < bytes.length; ) {
    const marked = bytes[at] === MARK && bytes[at + 1] === SOM
    const packet = packetAt(bytes, marked ? at + 1 : at)
    if (packet === null) {
      if (firstJunk < 0) firstJunk = at
      junk.push(bytes[at] ?? 0)
      at += 1
      continue
    }
    frames.push(frameOf(packet))
    at += packet.length + (marked ? 1 : 0)
  }
  const why = firstJunk < 0 ? null : flawOf(bytes.subarray(bytes[firstJunk] === MARK ? firstJunk + 1 : firstJunk))
  return { frames, junk: printHex(Uint8Array.from(junk)), why }
}

function packetAt(bytes: Uint8Array, at: number): Uint8Array | null {
  const rest = bytes.subarray(at)
  const length = lengthOf(rest)
  if (rest[0] !== SOM || length < leastOf(rest) || length > LENGTH_MAX || rest.length < length) return null
  const packet = rest.subarray(0, length)
  return isSound(packet) ? packet : null
}

function lengthOf(bytes: Uint8Array): number {
  return (bytes[2] ?? 0) | ((bytes[3] ?? 0) << 8)
}

function hasCrc(bytes: Uint8Array): boolean {
  return ((bytes[4] ?? 0) & WITH_CRC) !== 0
}

/** Head, a code and the check. */
function leastOf(bytes: Uint8Array): number {
  return HEAD + 1 + (hasCrc(bytes) ? 2 : 1)
}

function checkOf(packet: Uint8Array): Uint8Array {
  if (!hasCrc(packet)) {
    const sum = packet.subarray(0, -1).reduce((total, byte) => total + byte, 0)
    return Uint8Array.of(-sum & 0xff)
  }
  const crc = crc16Osdp(packet, 0, packet.length - 2)
  return Uint8Array.of(crc & 0xff, crc >> 8)
}

function isSound(packet: Uint8Array): boolean {
  const check = checkOf(packet)
  return check.every((byte, at) => byte === packet[packet.length - check.length + at])
}

function flawOf(bytes: Uint8Array): Text {
  if (bytes[0] !== SOM) {
    const first = printHex(bytes.subarray(0, 1))
    return both(`a packet begins with 53, or ff 53; here is ${first}`, `报文以 53 或 ff 53 开头，这里是 ${first}`)
  }
  if (bytes.length < HEAD + 2)
    return both(
      `${bytes.length} bytes are too few: a packet has 7 at least`,
      `只有 ${bytes.length} 字节，太短：报文至少 7 字节`,
    )
  const length = lengthOf(bytes)
  if (length < leastOf(bytes) || length > LENGTH_MAX)
    return both(
      `the length says ${length} bytes, possible are 7 to ${LENGTH_MAX}`,
      `长度为 ${length}，应在 7 至 ${LENGTH_MAX} 之间`,
    )
  if (bytes.length < length) {
    const lacking = length - bytes.length
    return both(
      `the length says ${length} bytes, here are ${bytes.length}: ${lacking} more bytes are needed`,
      `长度为 ${length} 字节，这里只有 ${bytes.length} 字节：还差 ${lacking} 字节`,
    )
  }
  const packet = bytes.subarray(0, length)
  const wanted = checkOf(packet)
  const said = printHex(packet.subarray(-wanted.length), ' ')
  const name = hasCrc(packet) ? 'CRC' : 'checksum'
  return both(
    `the ${name} is ${said}, over the others it is ${printHex(wanted, ' ')}`,
    `${hasCrc(packet) ? 'CRC' : '校验和'}是 ${said}，按前面的字节计算应为 ${printHex(wanted, ' ')}`,
  )
}

function frameOf(packet: Uint8Array): SaidFrame {
  const [, address = 0, , , control = 0] = packet
  const isReply = (address & REPLY) !== 0
  const security = (control & WITH_SECURITY) === 0 ? null : packet.subarray(HEAD, HEAD + (packet[HEAD] ?? 0))
  const codeAt = HEAD + (security?.length ?? 0)
  const code = packet[codeAt] ?? 0
  const name = (isReply ? REPLIES[code] : COMMANDS[code]) ?? 'unknown'
  const type = security?.[1] ?? 0
  // Under SCS_17 and SCS_18 the data is encrypted with a key that nobody here has; both end in four bytes of a MAC from SCS_15 on.
  const isEncrypted = type === 0x17 || type === 0x18
  const end = packet.length - (hasCrc(packet) ? 2 : 1) - (type >= 0x15 && type <= 0x18 ? 4 : 0)
  const data = packet.subarray(codeAt + 1, Math.max(codeAt + 1, end))
  const told = isEncrypted ? ENCRYPTED : isReply ? replyOf(code, data) : commandOf(code, data)
  return {
    protocol: 'osdp',
    direction: isReply ? 'reply' : 'request',
    address: String(address & ~REPLY),
    function: `${printHex(Uint8Array.of(code)).toUpperCase()} ${name}`,
    fields: {
      seq: control & 3,
      crc: hasCrc(packet),
      ...(security === null ? {} : { security: printHex(Uint8Array.of(type)) }),
      ...told.fields,
    },
    readings: told.readings ?? [],
    fault: told.fault ?? null,
    note: told.note ?? null,
  }
}

type Told = Pick<SaidFrame, 'fields'> & Partial<Pick<SaidFrame, 'readings' | 'fault' | 'note'>>

const ENCRYPTED: Told = {
  fields: { encrypted: true },
  note: both('encrypted: only controller and reader have the key', '已加密：密钥只在控制器和读卡器中'),
}

function commandOf(code: number, data: Uint8Array): Told {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  if (code === 0x6e && data.length === 5) return { fields: { address: data[0], baud: view.getUint32(1, true) } }
  if (code === 0x68 && data.length > 0 && data.length % 4 === 0) {
    const outputs = Array.from({ length: data.length / 4 }, (_, at) => ({
      no: data[4 * at],
      control: data[4 * at + 1],
      timer_100ms: view.getUint16(4 * at + 2, true),
    }))
    return { fields: { outputs } }
  }
  if (code === 0x6a && data.length === 5) {
    const [reader, tone, on, off, count] = data
    return { fields: { reader, tone, on_100ms: on, off_100ms: off, count } }
  }
  // A key that is set is a secret.
  if (code === 0x75) return { fields: { data: HIDDEN } }
  return plain(data)
}

function replyOf(code: number, data: Uint8Array): Told {
  const [first = 0, second = 0] = data
  switch (code) {
    case 0x41: {
      const meaning = NAK_REASONS[first]
      return {
        fields: { reason: first },
        fault: `exception:${first}`,
        ...(meaning === undefined ? {} : { note: meaning }),
      }
    }
    case 0x45:
      return data.length < 12 ? plain(data) : { fields: identityOf(data) }
    case 0x48:
      return { fields: { tamper: first !== 0, power_fail: second !== 0 } }
    case 0x49:
      return { fields: { inputs: [...data] } }
    case 0x4a:
      return { fields: { outputs: [...data] } }
    case 0x50:
      return data.length < 4 ? { fields: {} } : cardOf(data)
    case 0x51:
      return { fields: { reader: first, card: HIDDEN } }
    case 0x53:
      return { fields: { reader: first, digits: second }, note: both('keys are never shown', '按键内容从不显示') }
    case 0x54:
      return commandOf(0x6e, data)
    case 0x76:
    case 0x78:
      return { fields: {} }
    default:
      return plain(data)
  }
}

function plain(data: Uint8Array): Told {
  return { fields: data.length === 0 ? {} : { data: printHex(data) } }
}

function identityOf(data: Uint8Array): SaidFrame['fields'] {
  return {
    vendor: printHex(data.subarray(0, 3)).toUpperCase(),
    model: data[3],
    version: data[4],
    serial_le: printHex(data.subarray(5, 9)).toUpperCase(),
    firmware: data.subarray(9, 12).join('.'),
  }
}

/** Reader, format, how many bits (low byte first), the bits. The facility of 26 bits is the site's; the number is a person's. */
function cardOf(data: Uint8Array): Told {
  const count = (data[2] ?? 0) | ((data[3] ?? 0) << 8)
  const bits = Array.from(data.subarray(4), (byte) => byte.toString(2).padStart(8, '0'))
    .join('')
    .slice(0, count)
  const read = readWiegand(bits)
  const isCard = readCard('wiegand_bits', bits) !== null
  const known =
    read.format === null
      ? {}
      : { parity_ok: read.parityOk, ...(isCard && bits.length === 26 ? { facility: read.facility } : {}) }
  return {
    fields: { reader: data[0], format: data[1], bits: count, ...known },
    readings: isCard ? [{ key: 'card', value: HIDDEN, unit: null }] : [],
    fault: read.format !== null && !isCard ? 'crc' : null,
  }
}
