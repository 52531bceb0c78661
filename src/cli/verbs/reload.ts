/** `reload`: as SIGHUP, waits, and says what changed; or why nothing did. */
import type { ReloadAnswer } from '../../control/shapes-field.ts'
import type { Language } from '../../model/site.ts'
import { ask } from '../client.ts'
import { EXIT } from '../exit.ts'
import { formatSpan } from '../format.ts'
import { printable } from '../printable.ts'
import { printJson, printLines, type Session } from '../session.ts'
import { paint, wrap } from '../table.ts'
import { say, type TextKey } from '../text.ts'
import { findingLines } from './findings.ts'
import type { Screen } from './status.ts'

/** Exit 78 where the file is refused, 1 for one that was applied with warnings. */
export async function reload(session: Session): Promise<number> {
  const { io, json, connection } = session
  const { body, language } = await ask<ReloadAnswer>(connection, 'reload')
  if (json) printJson(io, body)
  else printLines(io, reloadLines(body, { language, width: Math.min(io.width, 100), color: io.color }))
  if (body.outcome === 'refused') return EXIT.config
  return body.findings.length > 0 ? EXIT.partly : EXIT.done
}

export function reloadLines(answer: ReloadAnswer, screen: Screen): readonly string[] {
  const { language, color } = screen
  const findings = answer.findings.map((finding) => ({ ...finding, id: 'syntax' as const, caret: null }))
  const found = findingLines(findings, language, color)
  if (answer.outcome === 'refused') {
    const why = answer.why?.[language] ?? ''
    return [
      ...found,
      ...wrap(printable(say(language, 'reloadRefused', { why })), screen.width).map((line) =>
        paint(line, 'red', color),
      ),
    ]
  }
  if (answer.outcome === 'unchanged') return [...found, say(language, 'reloadSame')]
  const { buses, devices, rules, uplinks } = answer
  return [
    ...found,
    paint(say(language, 'reloadDone', { span: formatSpan(answer.tookMs, language), cv: answer.cv }), 'green', color),
    ...changeLines('statusBuses', buses, screen),
    ...(buses.kept.length === 0 ? [] : row(say(language, 'reloadKept'), buses.kept, screen)),
    ...changeLines('statusDevices', devices, screen),
    ...changeLines('reloadRules', rules, screen),
    ...(uplinks.length === 0 ? [] : row(say(language, 'reloadUplinks'), uplinks, screen)),
    ...(answer.broker ? [`  ${say(language, 'reloadBroker')}`] : []),
  ]
}

type Changes = {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly changed: readonly string[]
}

function changeLines(title: TextKey, changes: Changes, screen: Screen): readonly string[] {
  const { language } = screen
  return (['added', 'changed', 'removed'] as const).flatMap((kind) => {
    const names = changes[kind]
    return names.length === 0 ? [] : row(`${say(language, title)} ${say(language, KINDS[kind])}`, names, screen)
  })
}

const KINDS = { added: 'reloadAdded', changed: 'reloadChanged', removed: 'reloadRemoved' } as const

/** Long lists end in how many more there are. */
const NAMES_MAX = 20

function row(title: string, names: readonly string[], { language, width }: Screen): readonly string[] {
  const shown = names.slice(0, NAMES_MAX).join(' ')
  const more = names.length > NAMES_MAX ? ` … ${moreText(names.length - NAMES_MAX, language)}` : ''
  return wrap(printable(say(language, 'because', { what: title, why: `${shown}${more}` })), width - 4).map(
    (line, at) => `${at === 0 ? '  ' : '    '}${line}`,
  )
}

function moreText(n: number, language: Language): string {
  return say(language, 'listEnd', { n })
}
