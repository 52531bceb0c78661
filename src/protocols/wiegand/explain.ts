/**
 * Says whether what a reader gave is a card's number, and where the wiring is wrong if not. The number itself is personal and is
 * never shown: its pseudonym where the site's key is at hand, as events bear it; else ***. To see that reader and card agree, give
 * what is printed on the card: what is said then is which form of the driver reads it so.
 */
import type { CardForm, Text } from '../../model/point.ts'
import { readCard, readWiegand } from '../card.ts'
import { both, type Said, type SaidFrame } from '../explained.ts'

export type CardMeans = {
  /** As printed on the card, or as the reader's software shows it. */
  readonly expect?: string
  readonly pseudonym?: (text: string) => string
}

const HIDDEN = '***'
const PRINTED: readonly CardForm[] = ['wiegand26_pair', 'wiegand26_decimal', 'wiegand34_decimal', 'wiegand34_hex']
/** Fewer signs are sooner bits than hex. */
const BITS_LEAST = 20
const DIGITS_MAX = 128

export function explainWiegand(length: 26 | 34 | null, text: string, means: CardMeans): Said | Text {
  // `0b4…` is hex as well as a mark of bits: a mark only where nothing but bits follows.
  const signs = text.replaceAll(/[\s_,:-]/g, '').replace(/^0x|^0b(?=[01]+$)/i, '')
  if (signs === '') return both('there are no bits', '没有比特')
  const stranger = /[^0-9a-f]/i.exec(signs)?.[0]
  if (stranger !== undefined)
    return both(`"${stranger}" is neither a bit nor a hex digit`, `"${stranger}" 既不是比特也不是十六进制数字`)
  if (signs.length > DIGITS_MAX)
    return refused(
      both(`${signs.length} digits are more than any card has`, `${signs.length} 位数字，超过任何卡号的长度`),
    )
  const candidates = /^[01]+$/.test(signs) && signs.length >= BITS_LEAST ? [signs] : fromHex(signs, length)
  if (candidates.length === 0)
    return refused(both('as a number it is longer than a card’s 26 or 34 bits', '作为数字超过卡号的 26 或 34 位'))
  const fitting = candidates.filter((bits) => length === null || bits.length === length)
  const sound = fitting.filter((bits) => isSound(bits))
  const [bits = candidates[0] ?? ''] = sound.length > 0 ? sound : fitting
  if (sound.length > 1)
    return refused(
      both(
        'these digits can be read as two numbers: give the bits themselves',
        '这些数字可读成两个卡号：请直接给出比特',
      ),
    )
  const read = readWiegand(bits)
  if (read.format === null || (length !== null && bits.length !== length))
    return refused(
      both(
        `${bits.length} bits are no number of ${length ?? '26 or 34'} bits: a bit was lost, or the reader has another format`,
        `${bits.length} 位不是 ${length ?? '26 或 34'} 位卡号：丢失了比特，或读卡器格式不同`,
      ),
    )
  return { frames: [frameOf(bits, read.facility, means)], junk: '', why: null }
}

function isSound(bits: string): boolean {
  const read = readWiegand(bits)
  return read.format !== null && read.parityOk
}

/** Registers hold the bits at the right, OSDP and converters at the left with zeros behind. */
function fromHex(signs: string, length: 26 | 34 | null): readonly string[] {
  const plain = signs
    .split('')
    .map((digit) => Number.parseInt(digit, 16).toString(2).padStart(4, '0'))
    .join('')
  const lengths = length === null ? [26, 34] : [length]
  const cut = lengths.flatMap((bits) => {
    if (plain.length < bits) return plain.length + 8 > bits ? [plain.padStart(bits, '0')] : []
    const spare = plain.length - bits
    const right = plain.slice(0, spare).includes('1') ? [] : [plain.slice(spare)]
    const left = plain.slice(bits).includes('1') ? [] : [plain.slice(0, bits)]
    return spare > 30 ? [] : [...right, ...left]
  })
  return [...new Set(cut)]
}

function frameOf(bits: string, facility: number, { expect, pseudonym }: CardMeans): SaidFrame {
  const middle = bits.length / 2
  const first = ones(bits.slice(0, middle)) % 2 === 0
  const last = ones(bits.slice(middle)) % 2 === 1
  const card = readCard('wiegand_bits', bits)
  const fits =
    card === null || expect === undefined ? [] : PRINTED.filter((form) => readCard(form, expect.trim()) === card)
  return {
    protocol: `wiegand${bits.length}`,
    direction: 'message',
    address: '',
    function: bits.length === 26 ? 'H10301' : 'W34',
    fields: {
      bits: bits.length,
      parity_ok: first && last,
      ...(first && last ? {} : { parityFirst: first, parityLast: last }),
      // A site's cards share it. The upper half of 34 bits is part of a number that only one card has.
      ...(card !== null && bits.length === 26 ? { facility } : {}),
      ...(fits.length > 0 ? { printedAs: fits } : {}),
    },
    readings: card === null ? [] : [{ key: 'card', value: pseudonym?.(card) ?? HIDDEN, unit: null }],
    fault: card === null ? 'crc' : null,
    note: card === null ? whyWrong(first, last) : expect === undefined ? null : agreement(expect, fits),
  }
}

/** With all bits turned over both parities turn too, as both halves have an odd number of bits. */
function whyWrong(first: boolean, last: boolean): Text {
  if (!first && !last)
    return both(
      'both parities are wrong, as they are when D0 and D1 are swapped: exchange the two wires and try again',
      '两个校验位都错，D0 与 D1 接反时就是这样：请对调两根线再试',
    )
  const half = first ? both('second', '后') : both('first', '前')
  return both(
    `the parity of the ${half.en} half is wrong: a pulse was lost or added; no number is taken from it`,
    `${half.zh}半部分校验错：丢失或多出脉冲，不取卡号`,
  )
}

function agreement(expect: string, fits: readonly CardForm[]): Text {
  return fits.length > 0
    ? both(
        `the card says ${expect} as ${fits.join(', ')}: the same card`,
        `卡面 ${expect} 按 ${fits.join('、')}：是同一张卡`,
      )
    : both(
        `the card says ${expect}: this is another number, however it is written`,
        `卡面 ${expect}：无论怎样书写都是另一个号码`,
      )
}

/** The serial number of a contactless card: which byte comes first is a setting of the reader. */
export function explainUid(text: string, { expect, pseudonym }: CardMeans): Said | Text {
  const signs = text.replaceAll(/[\s_:-]|^0x/gi, '').toUpperCase()
  if (signs === '') return both('there are no bytes', '没有字节')
  const card = readCard('uid', signs)
  if (card === null)
    return refused(
      both('a card’s serial number has 4, 7 or 10 bytes in hexadecimal', '卡序列号为 4、7 或 10 字节十六进制'),
    )
  const reversed = readCard('uid_reversed', signs)
  const wanted = expect === undefined ? null : hexOf(expect.trim(), signs.length)
  const order = wanted === null ? null : wanted === signs ? 'uid' : `uid:${wanted}` === reversed ? 'uid_reversed' : null
  return {
    frames: [
      {
        protocol: 'uid',
        direction: 'message',
        address: '',
        function: 'UID',
        fields: { bytes: signs.length / 2, ...(order === null ? {} : { printedAs: [order] }) },
        readings: [{ key: 'card', value: pseudonym?.(card) ?? HIDDEN, unit: null }],
        fault: null,
        note: expect === undefined ? null : agreement(expect, order === null ? [] : [order]),
      },
    ],
    junk: '',
    why: null,
  }
}

/** Decimal as software shows it, else hexadecimal of the same length. */
function hexOf(written: string, digits: number): string | null {
  const plain = written.replaceAll(/[\s:]/g, '').toUpperCase()
  if (plain.length === digits && /^[0-9A-F]+$/.test(plain) && !/^\d{10}$/.test(plain)) return plain
  return /^\d{1,25}$/.test(plain) ? BigInt(plain).toString(16).toUpperCase().padStart(digits, '0') : null
}

function ones(bits: string): number {
  return bits.replaceAll('0', '').length
}

/** What was given is not shown back: a whole number may be among it. */
function refused(why: Text): Said {
  return { frames: [], junk: '', why }
}
