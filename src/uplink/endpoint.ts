/** The servers of an uplink: their addresses, their order in this boot, and what MQTT version each of them took. */

export type Endpoint = {
  /** As in the site file, for people. */
  readonly server: string
  readonly host: string
  readonly port: number
  readonly tls: boolean
}

export type MqttVersion = 4 | 5

const SCHEMES: Readonly<Record<string, { readonly tls: boolean; readonly port: number }>> = {
  'mqtt:': { tls: false, port: 1883 },
  'mqtts:': { tls: true, port: 8883 },
}

/** Throws a sentence that names the server when it cannot be used. */
export function parseServer(server: string): Endpoint {
  const url = URL.canParse(server) ? new URL(server) : null
  const scheme = url === null ? undefined : SCHEMES[url.protocol]
  if (url === null || scheme === undefined || url.hostname === '') {
    throw new Error(`server '${server}' is not mqtt://HOST[:PORT] or mqtts://HOST[:PORT]`)
  }
  // An IPv6 address stands in brackets in a URL and without them everywhere else.
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  return { server, host, port: url.port === '' ? scheme.port : Number(url.port), tls: scheme.tls }
}

export function shuffle<T>(list: readonly T[], random: () => number): readonly T[] {
  const shuffled = [...list]
  for (let last = shuffled.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    const a = shuffled[last]
    const b = shuffled[other]
    if (a === undefined || b === undefined) continue
    shuffled[last] = b
    shuffled[other] = a
  }
  return shuffled
}

/** MQTT 5 first; an endpoint that took only 3.1.1 is asked in 3.1.1 for a day. */
export type Versions = {
  readonly of: (server: string, now: number) => MqttVersion
  readonly onlyOld: (server: string, now: number) => void
}

export function createVersions(memoryMs: number): Versions {
  const until = new Map<string, number>()
  return {
    of: (server, now) => (now < (until.get(server) ?? Number.NEGATIVE_INFINITY) ? 4 : 5),
    onlyOld(server, now) {
      until.set(server, now + memoryMs)
    },
  }
}
