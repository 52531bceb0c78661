/** The gateway as it is at each call: whoever holds this view, as the control socket does, sees a reload without being told. */
import type { GatewayView } from './context.ts'

export function standing(present: () => GatewayView): GatewayView {
  // Every member is asked of the view in force; a list of them would have to be kept in step with the type.
  return new Proxy(present(), { get: (_, key) => Reflect.get(present(), key) })
}
