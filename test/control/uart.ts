/**
 * A serial line as voltage over time: what one end sends with its setting is sampled by the other end with its own. So a wrong
 * speed, a wrong parity and swapped wires give the very garbage that they give on site.
 */

export type Setting = { readonly baud: number; readonly parity: 'N' | 'E' | 'O' }

/** Bits in time order, 1 is idle. */
function bitsOf(bytes: Uint8Array, { parity }: Setting): number[] {
  return [...bytes].flatMap((byte) => {
    const data = Array.from({ length: 8 }, (_, bit) => (byte >> bit) & 1)
    const ones = data.reduce((sum, bit) => sum + bit, 0)
    const check = parity === 'N' ? [] : [parity === 'E' ? ones & 1 : 1 - (ones & 1)]
    return [0, ...data, ...check, 1]
  })
}

/** What a receiver makes of it. A byte whose stop bit is missing is 00, as the kernel delivers it. */
export function received(sent: Uint8Array, sender: Setting, receiver: Setting, swapped = false): Uint8Array {
  const bits = bitsOf(sent, sender)
  const level = (time: number): number => {
    const bit = bits[Math.floor(time * sender.baud)] ?? 1
    return swapped ? 1 - bit : bit
  }
  const bitMs = 1 / receiver.baud
  const step = bitMs / 16
  const end = bits.length / sender.baud + 12 * bitMs
  const out: number[] = []
  // With the wires swapped the idle line is a break before anything is sent.
  let time = 0
  if (swapped) while (time < end && level(time) === 0) time += step
  while (time < end) {
    while (time < end && level(time) === 1) time += step
    if (time >= end) break
    const start = time
    let byte = 0
    for (let bit = 0; bit < 8; bit++) byte |= level(start + (1.5 + bit) * bitMs) << bit
    const stop = start + (receiver.parity === 'N' ? 9.5 : 10.5) * bitMs
    const isSound = level(stop) === 1
    out.push(isSound ? byte : 0)
    time = stop
    while (!isSound && time < end && level(time) === 0) time += step
  }
  return Uint8Array.from(out)
}
