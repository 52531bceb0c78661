/** Waits that can be cancelled and may be longer than 2^31 ms (Node would fire those at once). */
const LONGEST_MS = 2 ** 31 - 1

/** Resolves after `ms`, or at once when the signal aborts: look at `signal.aborted` afterwards. Never rejects. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  let left = ms
  while (left > 0 && !signal?.aborted) {
    const slice = Math.min(left, LONGEST_MS)
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, slice)
      signal?.addEventListener('abort', done, { once: true })
    })
    left -= slice
  }
}

export type Repeat = { readonly close: () => void }

/** Calls `job` every `ms`, without drift and without catching up on missed beats (a frozen process owes no burst). */
export function repeat(ms: number, job: () => void, mono: () => number = () => performance.now()): Repeat {
  let due = mono() + ms
  let timer = setTimeout(beat, ms)
  function beat(): void {
    const now = mono()
    due += ms
    if (due <= now) due = now + ms
    timer = setTimeout(beat, due - now)
    job()
  }
  return { close: () => clearTimeout(timer) }
}
