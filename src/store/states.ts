/** The durable states as they are now, for whoever starts anew within one run; the store itself only tells how they were at the start. */
import type { Store } from './contract.ts'

/** The same store, whose `states` follow what is committed. */
export function keepStates(store: Store): Store {
  const states = new Map(store.states)
  return {
    ...store,
    states,
    commit(delta) {
      for (const [key, value] of delta.states) {
        if (value === null) states.delete(key)
        else states.set(key, value)
      }
      store.commit(delta)
    },
  }
}
