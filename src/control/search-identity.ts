/** What a Modbus device says of itself (function 43, MEI 14): maker, product, version. Most do not know the question. */
import { parseIdentityReply } from '../protocols/modbus/identity.ts'
import { type Asking, askStep, bodiesOf } from './search-ask.ts'
import { UNIT_TCP_TIMEOUT_MS, UNIT_TIMEOUT_MS } from './search-plan.ts'

const TEXT = new TextDecoder('utf-8')

export async function readIdentity(
  options: Asking,
  { line, unit }: { readonly line: string | null; readonly unit: number },
): Promise<readonly string[]> {
  const heard = await askStep(options, line, {
    protocol: 'modbus',
    address: unit,
    what: { who: true },
    timeoutMs: options.isTcp ? UNIT_TCP_TIMEOUT_MS : 2 * UNIT_TIMEOUT_MS,
  })
  if (heard?.outcome !== 'answer') return []
  return bodiesOf(heard).flatMap((body) => {
    const reply = parseIdentityReply(body)
    if (typeof reply === 'string') return []
    return reply.objects.map(({ content }) => TEXT.decode(content).trim()).filter((text) => text !== '')
  })
}
