/**
 * The sheet of a commissioning: one HTML file with nothing from outside, made for A4. Headings are in both languages, since a site is
 * handed over between people who read one or the other; titles come in the language asked for.
 */
import type { ProofList, ProofRow } from '../control/shapes-field.ts'
import type { Language } from '../model/site.ts'
import { formatValue, siteTime } from './format.ts'
import { printable } from './printable.ts'

const HEADS: readonly (readonly [zh: string, en: string])[] = [
  ['点', 'Point'],
  ['名称', 'Title'],
  ['位置', 'Where'],
  ['原始值', 'Raw'],
  ['解码值', 'Decoded'],
  ['显示值', 'Seen'],
  ['核对人', 'By'],
  ['时间', 'When'],
  ['结论', 'Verdict'],
]

const VERDICTS: Readonly<Record<ProofRow['state'] | 'never', readonly [zh: string, en: string]>> = {
  proven: ['一致', 'agrees'],
  differs: ['不一致', 'differs'],
  lapsed: ['已失效', 'lapsed'],
  unproven: ['未核对', 'not compared'],
  never: ['从未正常', 'never good'],
}

const STYLE = `
@page { size: A4 landscape; margin: 12mm; @bottom-right { content: counter(page) " / " counter(pages); } }
body { font: 10.5px/1.45 "Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", Arial, sans-serif; color: #111; margin: 16px; }
h1 { font-size: 18px; margin: 0 0 2px; } h2 { font-size: 13px; margin: 14px 0 4px; break-after: avoid; }
p { margin: 2px 0; } .dim { color: #666; }
table { border-collapse: collapse; width: 100%; } thead { display: table-header-group; } tr { break-inside: avoid; }
th, td { border: 1px solid #bbb; padding: 2px 5px; text-align: left; vertical-align: top; }
th { background: #f0f0f0; font-weight: 600; } th small { display: block; font-weight: 400; color: #666; }
td.num { text-align: right; white-space: nowrap; } td.hex { font-family: ui-monospace, Consolas, monospace; font-size: 9.5px; word-break: break-all; max-width: 150px; }
.proven { color: #0a6b2c; } .differs, .never { color: #b00020; font-weight: 700; } .lapsed { color: #9a5b00; } .unproven { color: #777; }
.summary { border: 2px solid #111; padding: 6px 10px; margin: 8px 0; font-size: 12px; } .summary.bad { border-color: #b00020; }
.sign { display: flex; gap: 40px; margin-top: 36px; break-inside: avoid; } .sign div { flex: 1; border-top: 1px solid #111; padding-top: 3px; }
`

export function reportHtml(list: ProofList, language: Language): string {
  const { rows } = list
  const time = siteTime(list.timezone)
  const never = rows.filter(({ everGood }) => !everGood).length
  const count = (state: ProofRow['state']): number => rows.filter((row) => row.everGood && row.state === state).length
  const devices = Map.groupBy(rows, ({ device }) => device)
  const isWhole = never === 0 && count('proven') === rows.length
  return `<!doctype html>
<html lang="${language === 'zh' ? 'zh-CN' : 'en'}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escape(`${list.name[language]} ${list.site}`)}</title><style>${STYLE}</style></head>
<body>
<h1>调试核对报告 Commissioning report</h1>
<p><b>${escape(list.name.zh)}</b> ${list.name.en === list.name.zh ? '' : escape(list.name.en)} (${escape(list.site)})</p>
<p class="dim">网关 Gateway ${escape(list.gateway)} · Gatehouse ${escape(list.version)} · ${time(list.at)} (${escape(list.timezone)})</p>
<div class="summary${isWhole ? '' : ' bad'}">
<p>共 ${rows.length} 点 points: <b class="proven">${count('proven')}</b> 一致 agree, <b class="differs">${count('differs')}</b> 不一致 differ, <b class="lapsed">${count('lapsed')}</b> 已失效 lapsed, <b class="unproven">${count('unproven')}</b> 未核对 not compared, <b class="never">${never}</b> 从未正常 never good</p>
<p>${isWhole ? '<b class="proven">全部核对一致 All points agree.</b>' : '<b class="differs">尚未完成 Not complete.</b>'}</p>
</div>
${[...devices.values()].map((own) => deviceHtml(own, { language, time })).join('\n')}
<div class="sign"><div>施工方 Installer</div><div>业主/物业 Owner</div><div>日期 Date</div></div>
</body></html>
`
}

type How = { readonly language: Language; readonly time: (at: number) => string }

function deviceHtml(rows: readonly ProofRow[], how: How): string {
  const [first] = rows
  if (first === undefined) return ''
  const { device, deviceName, driver, address } = first
  const heads = HEADS.map(([zh, en]) => `<th>${zh}<small>${en}</small></th>`).join('')
  return `<h2>${escape(deviceName[how.language])} <span class="dim">${escape(device)} · ${escape(driver)}${address === null ? '' : ` · ${escape(address)}`}</span></h2>
<table><thead><tr>${heads}</tr></thead><tbody>
${rows.map((row) => rowHtml(row, how)).join('\n')}
</tbody></table>`
}

function rowHtml(row: ProofRow, { language, time }: How): string {
  const { proof, unit } = row
  const key = row.everGood ? row.state : 'never'
  const [zh, en] = VERDICTS[key]
  const value =
    proof === null || proof.value === null
      ? ''
      : `${formatValue(proof.value, language)}${unit === null ? '' : ` ${unit}`}`
  const cells = [
    `<td>${escape(row.point.slice(row.device.length + 1))}</td>`,
    `<td>${escape(row.title[language])}</td>`,
    `<td>${escape(row.where ?? '')}</td>`,
    `<td class="hex">${escape(proof?.raw ?? '')}</td>`,
    `<td class="num">${escape(value)}</td>`,
    `<td class="num">${escape(proof?.seen ?? '')}</td>`,
    `<td>${escape(proof?.by ?? '')}</td>`,
    `<td>${proof === null ? '' : time(proof.at)}</td>`,
    `<td class="${key}">${zh} ${en}</td>`,
  ]
  return `<tr>${cells.join('')}</tr>`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escape(text: string): string {
  return printable(text).replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character)
}
