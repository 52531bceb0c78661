/** The broker that a site file names, as its devices come in to it: each with the name whose rights cover what it publishes. */
import { matches } from '../broker/topic.ts'
import type { Site } from '../model/site.ts'
import { Halt } from '../runtime/halt.ts'
import type { Login, PublishSettings } from './publish.ts'

/** Listeners that are open to every address are reached on this one. */
const EVERYWHERE = new Set(['0.0.0.0', '::', '[::]'])

/** `url` null: the plain listener of the site file, waited for until the gateway opens it. */
export function brokerOf(site: Site, url: string | null): PublishSettings {
  if (url !== null && !/^mqtts?:$/.test(URL.canParse(url) ? new URL(url).protocol : ''))
    throw new Halt({
      kind: 'usage',
      text: { en: `--broker ${url} is no address of a broker`, zh: `--broker ${url} 不是 broker 地址` },
      hint: { en: 'write it like mqtt://127.0.0.1:1883', zh: '写成 mqtt://127.0.0.1:1883 这样' },
    })
  if (url !== null) return { url, ...(hasLogin(url) ? {} : { login: (topics) => loginOf(site, topics) }) }
  const listener = site.broker?.listen.find(({ kind }) => kind === 'mqtt')
  if (listener === undefined)
    throw new Halt({
      kind: 'usage',
      text: {
        en: 'the site file has no broker that listens on mqtt://, so devices that publish have nowhere to go',
        zh: '配置文件中没有以 mqtt:// 监听的 broker，主动上报的设备无处发布',
      },
      hint: { en: 'give one: --broker mqtt://127.0.0.1:1883', zh: '请指定：--broker mqtt://127.0.0.1:1883' },
    })
  const host = EVERYWHERE.has(listener.host) ? '127.0.0.1' : listener.host
  return { url: () => `mqtt://${host}:${listener.port}`, login: (topics) => loginOf(site, topics) }
}

function hasLogin(url: string): boolean {
  return URL.canParse(url) && new URL(url).username !== ''
}

/** Without such a name: nobody's, which a site without names lets in on loopback. */
function loginOf({ broker }: Site, topics: readonly string[]): Login {
  const client = broker?.clients.find(({ publish }) =>
    topics.every((topic) => publish.some((filter) => matches(filter, topic))),
  )
  if (client === undefined) return { permits: () => true }
  const password = client.password?.reveal()
  return {
    username: client.id,
    ...(password === undefined ? {} : { password }),
    permits: (topic) => client.publish.some((filter) => matches(filter, topic)),
  }
}
