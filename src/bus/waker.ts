/**
 * One timer for one bus. It is armed for the earliest wish and left alone while that is early enough: a saturated bus, whose
 * deadlines move with every exchange, re-arms it once a second instead of a thousand times.
 */
export type Waker = {
  /** Wake at this monotonic moment or before. Infinity: no wish. */
  readonly wakeAt: (moment: number) => void
  readonly close: () => void
}

/** Longer waits are cut into slices: Node would fire a timer beyond 2^31 ms at once. */
const SLICE_MS = 60_000

/** `wake` may come early (it says what it wants again); never more than a timer's tick late. */
export function createWaker(mono: () => number, wake: () => void): Waker {
  let timer: NodeJS.Timeout | null = null
  let armedFor = Number.POSITIVE_INFINITY
  function fire(): void {
    timer = null
    armedFor = Number.POSITIVE_INFINITY
    wake()
  }
  return {
    wakeAt(moment) {
      if (moment >= armedFor) return
      if (timer !== null) clearTimeout(timer)
      const wait = Math.min(Math.max(0, moment - mono()), SLICE_MS)
      armedFor = moment
      // Timers count whole milliseconds and cut off what is behind the point: waking early would only mean waking twice.
      timer = setTimeout(fire, Math.ceil(wait))
    },
    close() {
      if (timer !== null) clearTimeout(timer)
      timer = null
      armedFor = Number.NEGATIVE_INFINITY
    },
  }
}
