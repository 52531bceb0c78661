/** `explain`: the way of a value from the port to the rules, what is probably wrong, what speaks for it and what to check. */
import type { ExplainAnswer, PointExplanation, RuleExplanation } from '../../control/shapes-field.ts'
import type { Language } from '../../model/site.ts'
import { ask } from '../client.ts'
import { EXIT } from '../exit.ts'
import { formatAge, formatReason, formatPercent, formatQuantity, siteTime } from '../format.ts'
import { printable } from '../printable.ts'
import { printJson, printLines, type Session } from '../session.ts'
import { cut, paint, type Style, width as widthOf, wrap } from '../table.ts'
import { say, type TextKey } from '../text.ts'
import { watchLine } from './points.ts'
import type { Screen } from './status.ts'

/** Exit 1 while the point, or an input of the rule, has no good value. */
export async function explain(session: Session, subject: string): Promise<number> {
  const { connection, io } = session
  const { body, language, at, timezone } = await ask<ExplainAnswer>(connection, 'explain', { subject })
  const screen = { language, width: Math.min(io.width, WIDTH_MAX), color: io.color }
  if (session.json) printJson(io, body)
  else printLines(io, explainLines(body, { at, time: siteTime(timezone) }, screen))
  const points = body.point === null ? body.inputs : [body.point]
  return points.some(({ quality }) => quality !== 'good') ? EXIT.partly : EXIT.done
}

type When = { readonly at: number; readonly time: (at: number) => string }

/** Longer lines are hard to read, also where the output is piped. */
const WIDTH_MAX = 100
/** Causes whose signs and checks are shown; the rest is named. */
const CAUSES_FULL = 2

export function explainLines(answer: ExplainAnswer, when: When, screen: Screen): readonly string[] {
  const { point, rule, inputs } = answer
  if (point !== null) return pointLines(point, when, screen)
  return [
    ...(rule === null ? [] : ruleLines(rule, screen)),
    ...inputs.flatMap((input) => ['', ...pointLines(input, when, screen)]),
  ]
}

const QUALITY: Readonly<Record<PointExplanation['quality'], Style>> = { good: 'green', uncertain: 'yellow', bad: 'red' }

function pointLines(point: PointExplanation, { at, time }: When, screen: Screen): readonly string[] {
  const { language, color, width } = screen
  const quality = say(language, point.quality)
  const state =
    point.cause === null
      ? quality
      : say(language, 'because', {
          what: quality,
          why: formatReason({ cause: point.cause, reason: point.reason }, language),
        })
  const value = point.value === null ? '' : `  ${formatQuantity(point.value, point.unit, language)}`
  const head = printable(`${point.point}  ${point.title[language]}${value}`)
  const { lastGood } = point
  return [
    `${paint(cut(head, width - widthOf(state) - 2), 'bold', color)}  ${paint(state, QUALITY[point.quality], color)}`,
    ...(point.via.length === 0 ? [] : wrap(say(language, 'explainVia', { path: point.via.join(' → ') }), width)),
    ...(point.quality === 'good'
      ? []
      : [
          lastGood === null
            ? say(language, 'explainNever')
            : say(language, 'explainLastGood', {
                value: formatQuantity(lastGood.value, point.unit, language),
                ago: formatAge(lastGood.at, at, language),
                time: time(lastGood.at),
              }),
        ]),
    '',
    ...chainLines(point, screen),
    '',
    ...point.causes.flatMap((cause, index) => causeLines(cause, index, screen)),
  ]
}

const LINKS: Readonly<Record<PointExplanation['chain'][number]['link'], TextKey>> = {
  port: 'linkPort',
  bus: 'linkBus',
  device: 'linkDevice',
  frame: 'linkFrame',
  decode: 'linkDecode',
  rule: 'linkRule',
}
const MARKS = {
  ok: { text: 'markOk', style: 'green' },
  doubtful: { text: 'markDoubtful', style: 'yellow' },
  bad: { text: 'markBad', style: 'red' },
  unreached: { text: 'markUnreached', style: 'dim' },
} as const satisfies Readonly<Record<string, { text: TextKey; style: Style }>>

function chainLines({ chain }: PointExplanation, { language, color, width }: Screen): readonly string[] {
  const shown = chain.flatMap(({ link, state, text }) => (state === 'none' ? [] : [{ link, state, text }]))
  const column = (texts: readonly string[]): number => Math.max(0, ...texts.map(widthOf))
  const marks = column(shown.map(({ state }) => say(language, MARKS[state].text)))
  const links = column(shown.map(({ link }) => say(language, LINKS[link])))
  const indent = marks + links + 6
  return shown.flatMap(({ link, state, text }) => {
    const { text: key, style } = MARKS[state]
    const mark = say(language, key)
    const name = say(language, LINKS[link])
    const head = `  ${paint(mark, style, color)}${blanks(marks - widthOf(mark))}  ${name}${blanks(links - widthOf(name))}  `
    const [first = '', ...rest] = wrap(printable(text[language]), width - indent)
    return [head + first, ...rest.map((line) => blanks(indent) + line)]
  })
}

function causeLines(
  { confidence, text, signs, check }: PointExplanation['causes'][number],
  index: number,
  { language, color, width }: Screen,
): readonly string[] {
  const percent = formatPercent(confidence)
  const title = paint(say(language, index === 0 ? 'explainFirst' : 'explainNext', { percent }), 'bold', color)
  const lines = wrap(printable(text[language]), width - 2).map((line) => `  ${line}`)
  if (index >= CAUSES_FULL) return [title, ...lines]
  return [
    title,
    ...lines,
    ...signs.flatMap((sign) => hanging(printable(sign[language]), '    · ', width)),
    ...check.flatMap((one) => hanging(printable(one[language]), '  → ', width)),
  ]
}

function hanging(text: string, head: string, width: number): readonly string[] {
  return wrap(text, width - widthOf(head)).map((line, at) => (at === 0 ? head : blanks(widthOf(head))) + line)
}

function blanks(count: number): string {
  return ' '.repeat(Math.max(0, count))
}

const STATES: Readonly<Record<RuleExplanation['state'], { readonly text: TextKey; readonly style: Style }>> = {
  raised: { text: 'ruleRaised', style: 'red' },
  normal: { text: 'ruleNormal', style: 'green' },
  pending: { text: 'rulePending', style: 'yellow' },
  unknown: { text: 'ruleUnknown', style: 'yellow' },
  suppressed: { text: 'ruleSuppressed', style: 'yellow' },
}

function ruleLines(rule: RuleExplanation, screen: Screen): readonly string[] {
  const { language, color, width } = screen
  const { text, style } = STATES[rule.state]
  return [
    paint(
      cut(printable(say(language, 'explainRule', { rule: rule.rule, state: say(language, text) })), width),
      style,
      color,
    ),
    ...wrap(printable(rule.text[language]), width),
    ...(rule.when === null ? [] : wrap(printable(say(language, 'explainWhen', { when: rule.when })), width)),
    ...(rule.suppressed === null
      ? []
      : wrap(printable(say(language, 'explainSuppressed', { why: rule.suppressed })), width)),
    ...rule.inputs.map((input) => `  ${watchLine(input, screen)}`),
    ...(rule.advice === null ? [] : hanging(printable(rule.advice[language as Language]), '  → ', width)),
  ]
}
