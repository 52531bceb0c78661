/**
 * Decimal arithmetic for measured values: what a display shows is what is stored and sent.
 * 2302 * 0.1 is 230.2 and not 230.20000000000002; the f32 43 66 33 33 is 230.2 and not 230.1999969482422.
 */

/** Powers of ten up to here are exact doubles. */
const EXACT_POWER_MAX = 22

/** Decimal places that a number needs: 0.1 has 1, 2.5e-7 has 8, 10 has 0. */
export function decimalsOf(number: number): number {
  const [mantissa = '', exponent = '0'] = String(number).split('e')
  return Math.max(0, (mantissa.split('.')[1]?.length ?? 0) - Number(exponent))
}

export type Scaling = {
  /** raw * scale + offset, in decimal. */
  readonly apply: (raw: number | bigint) => number
  /** (value - offset) / scale, not rounded to an integer: the encoding does that. */
  readonly invert: (value: number) => number
}

/** null when nothing is to be done. */
export function scaling(scale: number, offset: number): Scaling | null {
  if (scale === 1 && offset === 0) return null
  const decimals = Math.max(decimalsOf(scale), decimalsOf(offset))
  const power = 10 ** decimals
  const factor = Math.round(scale * power)
  const shift = Math.round(offset * power)
  const exact = decimals <= EXACT_POWER_MAX && Number.isSafeInteger(factor) && Number.isSafeInteger(shift)
  return {
    apply(raw) {
      if (typeof raw === 'bigint') {
        return exact ? Number(raw * BigInt(factor) + BigInt(shift)) / power : Number(raw) * scale + offset
      }
      // An integer over a power of ten is the double nearest to the decimal: it prints with the scale's digits.
      const sum = raw * factor + shift
      if (exact && Number.isSafeInteger(sum)) return sum / power
      // A raw value with a fraction (or a huge one): 15 digits are what a double holds of any decimal.
      return Number((raw * scale + offset).toPrecision(15))
    },
    invert: (value) => Number(((value - offset) / scale).toPrecision(15)),
  }
}

const POWERS = Array.from({ length: 16 }, (_, exponent) => 10 ** exponent)
/** Nine decimal digits always tell one f32 from its neighbours; six always survive. */
const F32_DIGITS_MAX = 9
const F32_DIGITS_SURE = 6

/** The shortest decimal that reads back as the same f32. `single` must be one (Math.fround changes nothing); NaN and infinities pass. */
export function shortestF32(single: number): number {
  const size = Math.abs(single)
  if (Number.isInteger(single) && size < 2 ** 24) return single === 0 ? 0 : single
  // Measured values live here, and division by an exact power of ten is ten times cheaper than printing.
  if (size >= 1e-3 && size < 1e5) {
    const exponent = Math.floor(Math.log10(size))
    for (let digits = F32_DIGITS_SURE; digits <= F32_DIGITS_MAX; digits++) {
      const power = POWERS[digits - 1 - exponent] ?? 1
      const rounded = Math.round(single * power) / power
      if (Math.fround(rounded) === single) return rounded
    }
  }
  if (!Number.isFinite(single)) return single
  // Below 2^-126 an f32 has fewer digits than six.
  const first = size < 2 ** -126 ? 1 : F32_DIGITS_SURE
  for (let digits = first; digits < F32_DIGITS_MAX; digits++) {
    const rounded = Number(single.toPrecision(digits))
    if (Math.fround(rounded) === single) return rounded
  }
  return Number(single.toPrecision(F32_DIGITS_MAX))
}

/** `number` with its decimal point moved: 12565 by -3 is 12.565, and not a digit more. */
export function shift10(number: number | bigint, exponent: number): number {
  if (exponent === 0) return Number(number)
  const [mantissa = '0', own = '0'] = String(number).split('e')
  return Number(`${mantissa}e${Number(own) + exponent}`)
}
