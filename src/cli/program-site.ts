/** The verbs for work on site: find, wire, look into, prove. */
import type { Command } from 'commander'
import type { Session } from './session.ts'
import type { TextKey } from './text.ts'

export type AddVerb = <Options extends object>(
  usage: string,
  about: TextKey,
  run: (session: Session, args: readonly string[], options: Options) => Promise<number>,
) => Command

export function addSiteVerbs(verb: AddVerb): void {
  verb('explain <point>', 'verbExplain', async (session, [subject = '']) =>
    (await import('./verbs/explain.ts')).explain(session, subject),
  )
}
