/** A wire that could not be opened, in words: what is wrong with it and what to do. */
import type { Language, Wire } from '../model/site.ts'
import { inspectPort } from '../transport/ports.ts'
import { groupOf } from '../runtime/group.ts'
import { callerName } from './client.ts'
import { CliError, EXIT } from './exit.ts'
import { say } from './text.ts'

export type Shut = {
  readonly wire: Wire
  readonly wireText: string
  /** As the system said it. */
  readonly why: string
  readonly language: Language
  readonly env: NodeJS.ProcessEnv
}

/** Of a serial port the system is asked once more: it knows whether the port exists, is ours to open, and who has it. */
export async function shutError({ wire, wireText, why, language, env }: Shut): Promise<CliError> {
  const unreachable = (message: string, hint: string): CliError =>
    new CliError(EXIT.unreachable, 'E_UNREACHABLE', message, hint)
  if (wire.kind !== 'serial')
    return unreachable(say(language, 'wireShut', { wire: wireText, why }), say(language, 'wireShutHint'))
  const { exists, permitted, holders } = await inspectPort(wire.path)
  if (!exists) return unreachable(say(language, 'portGone', { wire: wireText }), say(language, 'portGoneHint'))
  if (!permitted)
    return new CliError(
      EXIT.permission,
      'E_PERMISSION',
      say(language, 'noPermission', { path: wireText }),
      say(language, 'noPermissionHint', { group: groupOf(wire.path), user: callerName(env) }),
    )
  if (holders.length > 0) {
    const who = holders.map(({ pid, command }) => `${command} (${pid})`).join(', ')
    return unreachable(say(language, 'portHeld', { wire: wireText, who }), say(language, 'portHeldHint'))
  }
  return unreachable(say(language, 'wireShut', { wire: wireText, why }), say(language, 'portShutHint'))
}
