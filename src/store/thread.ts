/** The line to the writer thread: numbered requests, their answers, and what it says by itself. */
import { Worker } from 'node:worker_threads'
import { Halt } from '../runtime/halt.ts'
import type { Answer, FromWriter, Opened, Request, Setup, ToWriter } from './messages.ts'

export type Heard = Exclude<FromWriter, { kind: 'opened' | 'failed' | 'answer' | 'error' }>

type Waiter = {
  readonly resolve: (value: never) => void
  readonly reject: (error: Error) => void
}

/** In development this room's TypeScript; in the bundle `writer.js` lies beside it. */
function writerUrl(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './writer.ts' : './writer.js', import.meta.url)
}

export class WriterThread {
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiter>()
  #nextId = 1
  /** Why it is gone, null: it lives. */
  #gone: Error | null = null

  private constructor(worker: Worker) {
    this.#worker = worker
  }

  /** Resolves when the files are open; rejects with what the writer says. */
  static start(
    setup: Setup,
    hear: (message: Heard) => void,
    died: (error: Error) => void,
  ): Promise<{ thread: WriterThread; opened: Opened }> {
    const worker = new Worker(writerUrl(), { workerData: setup, name: 'store' })
    const thread = new WriterThread(worker)
    return new Promise((resolve, reject) => {
      const end = (error: Error): void => {
        reject(error)
        if (thread.#gone === null) {
          thread.#end(error)
          died(error)
        }
      }
      worker.on('message', (message: FromWriter) => {
        if (message.kind === 'opened') resolve({ thread, opened: message.opened })
        else if (message.kind === 'failed') {
          // Whoever opens it hears of it: nothing that was in use is gone.
          const why = message.halt === null ? new Error(message.message) : new Halt(message.halt)
          reject(why)
          thread.#end(why)
        } else if (message.kind === 'answer') thread.#take(message.id)?.resolve(message.value as never)
        else if (message.kind === 'error') thread.#take(message.id)?.reject(new Error(message.message))
        else hear(message)
      })
      worker.once('error', (error) => end(error instanceof Error ? error : new Error(String(error))))
      worker.once('exit', () => end(new Error('the writer thread has ended')))
    })
  }

  get isAlive(): boolean {
    return this.#gone === null
  }

  #take(id: number): Waiter | undefined {
    const waiter = this.#waiting.get(id)
    this.#waiting.delete(id)
    return waiter
  }

  #end(error: Error): void {
    this.#gone = error
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }

  ask<R extends Request>(request: R, transfer: readonly ArrayBuffer[] = []): Promise<Answer<R['op']>> {
    if (this.#gone !== null) return Promise.reject(this.#gone)
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      const message: ToWriter = { id, request }
      this.#worker.postMessage(message, [...transfer])
    })
  }

  /** After `close` was answered: waits for the thread to end by itself. */
  async ended(): Promise<void> {
    this.#gone ??= new Error('the store is closed')
    await this.#worker.terminate()
  }
}
