/**
 * What the kernel says of its clock: adjtimex(2), called with modes 0, which only reads and needs no privilege.
 * `struct timex` on 64-bit Linux: maxerror at byte 24, esterror at 32 (both long, microseconds), status at 40 (int).
 */
import { createRequire } from 'node:module'
import { existsSync } from 'node:fs'
import type { ClockSources } from './clock.ts'

const STA_UNSYNC = 0x0040
const TIMEX_BYTES = 208
const MARK_OF_TIMESYNCD = '/run/systemd/timesync/synchronized'

export type KernelClock = { readonly synchronised: boolean; readonly errorMs: number }

type Koffi = {
  load: (path: string) => { func: (declaration: string) => (timex: Uint8Array) => number }
}

/** null where adjtimex cannot be reached: no koffi for this machine, another libc, a sandbox that forbids it. */
export function openKernelClock(): (() => KernelClock | null) | null {
  if (process.platform !== 'linux' || (process.arch !== 'x64' && process.arch !== 'arm64')) return null
  let adjtimex: (timex: Uint8Array) => number
  try {
    const koffi = createRequire(import.meta.url)('koffi') as Koffi
    adjtimex = koffi.load('libc.so.6').func('int adjtimex(_Inout_ uint8_t *timex)')
  } catch {
    // koffi is optional by design: without it systemd-timesyncd's mark is what remains to look at.
    return null
  }
  return () => {
    const timex = new Uint8Array(TIMEX_BYTES)
    if (adjtimex(timex) < 0) return null
    const view = new DataView(timex.buffer)
    const status = view.getInt32(40, true)
    return {
      synchronised: (status & STA_UNSYNC) === 0,
      errorMs: Number(view.getBigInt64(24, true)) / 1000,
    }
  }
}

/** The clocks of this host. Synchronised: the kernel's word, else systemd-timesyncd's mark. */
export function hostClock(): ClockSources {
  const kernel = openKernelClock()
  return {
    mono: () => performance.now(),
    wall: () => Date.now(),
    synchronised() {
      const word = kernel?.() ?? null
      return word === null ? existsSync(MARK_OF_TIMESYNCD) : word.synchronised || existsSync(MARK_OF_TIMESYNCD)
    },
    errorMs: () => kernel?.()?.errorMs ?? null,
    hardwareClock: () => existsSync('/dev/rtc0') || existsSync('/dev/rtc'),
  }
}
