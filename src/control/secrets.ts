/**
 * Chunks of a wire on which meters are, in the order in which they come: which of them hold a part of a meter's password, wherever
 * a frame is cut. Such bytes are shown to nobody and kept nowhere.
 */
import { secretsIn } from '../protocols/dlt645/index.ts'

/** The longest frame: what came before it says nothing of what comes now. */
const FRAME_MAX = 270

export class SecretEar {
  #before: Uint8Array = new Uint8Array(0)

  /** Is a password in this chunk? */
  hears(chunk: Uint8Array): boolean {
    const start = this.#before.length
    const all = new Uint8Array(start + chunk.length)
    all.set(this.#before)
    all.set(chunk, start)
    this.#before = all.slice(-FRAME_MAX)
    return secretsIn(all).some(({ from, to }) => from < all.length && to > start)
  }
}
