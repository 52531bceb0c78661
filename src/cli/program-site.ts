/** The verbs for work on site: find, wire, look into, prove. */
import type { Command } from 'commander'
import type { Session } from './session.ts'
import type { TextKey } from './text.ts'
import type { ProbeOptions } from './verbs/probe.ts'
import type { MeterOptions } from './verbs/probe-meter.ts'
import type { ProveOptions } from './verbs/prove.ts'
import type { ScanOptions } from './verbs/scan.ts'

export type AddVerb = <Options extends object>(
  usage: string,
  about: TextKey,
  run: (session: Session, args: readonly string[], options: Options) => Promise<number>,
) => Command

export function addSiteVerbs(verb: AddVerb, t: (key: TextKey) => string): void {
  verb('init [dir]', 'verbInit', async (session, [directory = '.']) =>
    (await import('./verbs/init.ts')).init(session, directory),
  )
  verb('ports', 'verbPorts', async (session) => (await import('./verbs/ports.ts')).ports(session))
  verb('explain <point>', 'verbExplain', async (session, [subject = '']) =>
    (await import('./verbs/explain.ts')).explain(session, subject),
  )
  verb<ScanOptions>('scan [where]', 'verbScan', async (session, [where], options) =>
    (await import('./verbs/scan.ts')).scan(session, where ?? null, options),
  )
    .option('--yaml', t('optYaml'))
    .option('--line <settings>', t('optScanLine'))
    .option('--units <list>', t('optScanUnits'))
    .option('--protocol <names>', t('optProtocol'))
    .option('--from <step>', t('optFrom'))
  verb<ProbeOptions & MeterOptions>(
    'probe <target> <at>',
    'verbProbe',
    async (session, [target = '', at = ''], options) => {
      const { probeMeter } = await import('./verbs/probe-meter.ts')
      const exit = await probeMeter(session, target, at, options)
      return exit ?? (await import('./verbs/probe.ts')).probe(session, target, at, options)
    },
  )
    .option('--unit <n>', t('optUnit'))
    .option('--line <setting>', t('optLine'))
    .option('--ascii', t('optAscii'))
    .option('--as <type>', t('optAs'))
    .option('--order <order>', t('optOrder'))
    .option('--count <n>', t('optCount'))
    .option('--expect <value>', t('optExpect'))
    .option('--keep <point>', t('optKeep'))
    .option('--pick <n>', t('optPick'))
    .option('--protocol <name>', t('optMeter'))
    .option('--address <number>', t('optAddress'))
    .option('--field <name>', t('optField'))
  verb<ProveOptions>('prove [glob]', 'verbProve', async (session, [glob], options) =>
    (await import('./verbs/prove.ts')).prove(session, glob, options),
  )
    .option('--report <file>', t('optReport'))
    .option('--seen <value>', t('optSeen'))
    .option('--by <name>', t('optBy'))
    .option('--list', t('optProveList'))
  verb('reload', 'verbReload', async (session) => (await import('./verbs/reload.ts')).reload(session))
  verb<{ out?: string }>('trace <bus>', 'verbTrace', async (session, [bus = ''], options) =>
    (await import('./verbs/trace.ts')).trace(session, bus, options.out ?? null),
  ).option('--out <file>', t('optOut'))
  verb('replay <file>', 'verbReplay', async (session, [file = '']) =>
    (await import('./verbs/replay.ts')).replay(session, file),
  )
}
