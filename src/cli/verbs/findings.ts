/** Findings as an editor and a person read them: `file:line:col message`, and the expression with its caret below. */
import type { Finding } from '../../driver/finding.ts'
import type { Language } from '../../model/site.ts'
import { CliError, EXIT } from '../exit.ts'
import { printable, printableLines } from '../printable.ts'
import { paint } from '../table.ts'
import { say } from '../text.ts'

export function findingLines(findings: readonly Finding[], language: Language, color: boolean): readonly string[] {
  return findings.flatMap((finding) => {
    const isError = finding.severity === 'error'
    const place = `${printable(finding.file)}:${finding.line}:${finding.col}`
    const after = isError ? '' : say(language, 'findingWarning')
    const line = `${paint(place, isError ? 'red' : 'yellow', color)} ${printableLines(finding.message[language])}${after}`
    return finding.caret === null ? [line] : [line, printableLines(finding.caret)]
  })
}

export function findingsJson(findings: readonly Finding[], language: Language): readonly object[] {
  return findings.map(({ file, line, col, severity, message }) => ({
    file,
    line,
    col,
    severity,
    message: message[language],
  }))
}

/** Nothing, or how many of each. */
export function countLine(findings: readonly Finding[], language: Language): readonly string[] {
  if (findings.length === 0) return []
  const errors = findings.filter(({ severity }) => severity === 'error').length
  const count = (n: number, what: string): string => (language === 'zh' ? `${n}` : `${n} ${what}${n === 1 ? '' : 's'}`)
  const warnings = count(findings.length - errors, 'warning')
  return [say(language, 'checkCounts', { errors: count(errors, 'error'), warnings })]
}

/** One that `run` refuses, for those who read JSON: every finding, a line each. */
export function unsound(
  findings: readonly Finding[],
  { file, language }: { readonly file: string; readonly language: Language },
): CliError {
  const lines = findingLines(findings, language, false).join('\n')
  return new CliError(EXIT.config, 'E_CONFIG', lines, say(language, 'siteUnsound', { file }))
}
