/** Whether a device is there, as it or its broker's last will says it: a word, or `{"state": word}`. */
import { bare } from '../understand.ts'
import { isObject, parseDocument } from './document.ts'
import { type Message, type PayloadOutcome, refused } from './payload.ts'

export type States = Readonly<Record<string, 'online' | 'offline'>>

/** `words` in lower case. */
export function readAvailability(of: 'device' | 'bridge', message: Message, words: States): PayloadOutcome {
  const document = parseDocument(message.payload)
  if (document.kind === 'refused') return document
  const said = document.kind === 'text' ? document.text : stateOf(document.json)
  // Objects have no word, and a hostile one throws when it is asked for it.
  const word = String(bare(said)).trim().toLowerCase()
  const state = Object.hasOwn(words, word) ? words[word] : undefined
  return state === undefined ? refused('unknown_state') : { kind: 'availability', of, state }
}

function stateOf(json: unknown): unknown {
  return isObject(json) && Object.hasOwn(json, 'state') ? json['state'] : json
}
