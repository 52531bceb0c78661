/** Plain JSON on one topic, fields by path; `$` is the whole payload, which may then be a bare number or word. */
import { parseDocument } from './document.ts'
import { readFields } from './fields.ts'
import { type PayloadCodec, refused } from './payload.ts'

export const json: PayloadCodec = {
  name: 'json',
  topics: (base) => [base],
  read(base, message, points) {
    if (message.topic !== base) return refused('unknown_topic')
    const document = parseDocument(message.payload)
    if (document.kind === 'refused') return document
    if (document.kind === 'json') return readFields(document.json, points, message.retained)
    const outcome = readFields(document.text, points, message.retained)
    // No point takes the payload as a whole, so it should have been a document.
    return outcome.kind === 'refused' && outcome.why === 'no_point' ? refused('not_json') : outcome
  },
  write: () => 'plain JSON has no common way to tell a device anything',
}
