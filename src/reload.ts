/**
 * A changed site file is taken over while the gateway runs: looked at beside everything else, compared, and swapped in between two
 * turns. What cannot be opened, or only by a restart, leaves the old configuration in force and is said.
 */
import { createCatalogue } from './config/catalogue.ts'
import type { Checked } from './config/check.ts'
import { diffSites, isEmpty, type SiteDiff } from './config/diff.ts'
import type { ReloadOutcome } from './control/context.ts'
import { type Field, type HeldBroker, type Lasting, openField, openSiteBroker } from './field.ts'
import type { Text } from './model/point.ts'
import type { Site } from './model/site.ts'
import type { Store } from './store/contract.ts'

export type ReloadHost = {
  readonly lasting: Lasting
  readonly store: Pick<Store, 'adopt'>
  /** The site file, checked now; null: there is none. */
  readonly check: () => Promise<Checked | null>
  /** What is in force, and its version. */
  readonly present: () => { readonly field: Field; readonly cv: number; readonly sha: string }
  /** Ends view and watchers of the present field; its spine still turns. */
  readonly retire: () => void
  /** From now on this is in force. */
  readonly enforce: (field: Field, cv: number, sha: string) => void
  /** The new field is in force: what hangs on it otherwise is told. */
  readonly followed: (site: Site, changes: SiteDiff) => Promise<void>
  /** An event of lane e. Resolves once it is durable. */
  readonly tell: (type: 'config' | 'meta', body: Readonly<Record<string, unknown>>, urgent: boolean) => Promise<void>
}

export type Reload = {
  /** Never rejects for what is in the file. */
  readonly reload: (by: string) => Promise<ReloadOutcome>
  /** Resolves when none is under way. */
  readonly idle: () => Promise<void>
}

export function createReload(host: ReloadHost): Reload {
  const { lasting } = host
  const { clock, log } = lasting
  let under: Promise<unknown> = Promise.resolve()

  async function reload(by: string): Promise<ReloadOutcome> {
    const began = clock.mono()
    const checked = await host.check()
    const prev = host.present().cv
    const findings = checked?.findings ?? []
    const ended = (outcome: ReloadOutcome['outcome'], why: Text | null, changes: SiteDiff | null): ReloadOutcome => {
      const { cv } = host.present()
      const tookMs = Math.round(clock.mono() - began)
      log.info({ by, outcome, why: why?.en, cv, tookMs }, 'reload')
      if (outcome !== 'unchanged') {
        const res = outcome === 'applied' ? 'applied' : 'rejected'
        host.tell('config', { run: cv, prev, res, why: why?.en ?? null, took: tookMs, by }, true).catch(notDurable)
      }
      return { outcome, why, findings, changes, cv, prev, tookMs }
    }
    if (checked === null) return ended('refused', NO_FILE, null)
    if (checked.site === null) return ended('refused', UNSOUND, null)
    const changes = diffSites(host.present().field.site, checked.site)
    if (changes.restart.length > 0) return ended('refused', needsRestart(changes.restart), changes)
    if (isEmpty(changes)) return ended('unchanged', null, changes)
    const broker = changes.brokerKept ? host.present().field.broker : await replaceBroker(checked.site)
    if (broker instanceof Error) return ended('refused', brokerFailed(broker), changes)
    await swap(checked.site, changes, broker)
    return ended('applied', null, changes)
  }

  /** The listener's port may be the same: the old one goes first, and comes back when the new one cannot be. */
  async function replaceBroker(next: Site): Promise<HeldBroker | null | Error> {
    const { field, cv, sha } = host.present()
    await field.broker?.own.close()
    try {
      return await openSiteBroker(next, lasting)
    } catch (error) {
      const broker = await openSiteBroker(field.site, lasting)
      if (broker !== null) broker.target.aim(field.spine.post)
      host.retire()
      host.enforce({ ...field, broker }, cv, sha)
      return error instanceof Error ? error : new Error(String(error))
    }
  }

  async function swap(site: Site, changes: SiteDiff, broker: HeldBroker | null): Promise<void> {
    const { field: before, cv, sha } = host.present()
    const kept = new Set(changes.buses.kept)
    const catalogue = createCatalogue(site)
    // Their wires may be those of new buses.
    const leaving = [...before.held].filter(([id]) => !kept.has(id))
    await Promise.all(leaving.map(([, { own }]) => own.close()))
    // From here to the new spine there is no turn.
    void before.outputs.close()
    host.retire()
    before.spine.close()
    const adopted = host.store.adopt({ points: site.points, devices: site.devices, catalogueSha: catalogue.sha })
    const field = openField(site, lasting, { broker, before, kept })
    // Version and hash belong together: both follow once the store has taken the new names.
    host.enforce(field, cv, sha)
    await host.followed(site, changes)
    try {
      const { cv: version, changed } = await adopted
      if (!changed) return
      host.retire()
      host.enforce(field, version, catalogue.sha)
      await Promise.all(catalogue.parts.map((part) => host.tell('meta', { cv: version, ...part }, true)))
    } catch (error) {
      notDurable(error)
    }
  }

  function notDurable(error: unknown): void {
    log.error({ err: error }, 'what a reload has to say could not be made durable')
  }

  return {
    /** One after the other: the second finds what the first has left. */
    reload(by) {
      const done = under.then(() => reload(by))
      under = done.catch(() => undefined)
      return done
    },
    idle: async () => {
      await under
    },
  }
}

const NO_FILE: Text = { en: 'this gateway was not started from a site file', zh: '本网关不是由配置文件启动的' }
const UNSOUND: Text = {
  en: 'the site file has errors; the old one stays in force',
  zh: '配置文件有错误；继续使用原配置',
}

function needsRestart(keys: readonly string[]): Text {
  const list = keys.join(', ')
  return {
    en: `a restart is needed to take over ${list}; until then the old site file stays in force`,
    zh: `${list} 的改动需要重启才能生效；在此之前继续使用原配置`,
  }
}

function brokerFailed({ message }: Error): Text {
  return {
    en: `the local broker cannot be opened as the site file wants it (${message}); the old one stays in force`,
    zh: `无法按配置打开本地代理（${message}）；继续使用原配置`,
  }
}
