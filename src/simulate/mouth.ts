/** What one device says by itself, in its order: what comes behind something late waits for it, as on a wire. */
import type { Later } from './line.ts'

/** What has not been said by then is left out, as a device with a small buffer would. */
const WAITING_MAX = 200

export class Mouth {
  readonly #later: Later
  readonly #waiting: { readonly delayMs: number; readonly job: () => void }[] = []
  #busy = false

  constructor(later: Later) {
    this.#later = later
  }

  say(delayMs: number, job: () => void): void {
    if (this.#waiting.length >= WAITING_MAX) return
    this.#waiting.push({ delayMs, job })
    if (!this.#busy) this.#next()
  }

  #next(): void {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const { delayMs, job } = next
      if (delayMs > 0) {
        this.#busy = true
        this.#later(delayMs, () => {
          this.#busy = false
          job()
          this.#next()
        })
        return
      }
      job()
    }
  }
}
