/** The local broker and the uplinks: addresses, certificates, secrets; nothing unencrypted or in clear beyond a lab. */
import type { BrokerListener, BrokerSettings, Secret, UplinkSettings } from '../model/site.ts'
import type { Path } from '../driver/document.ts'
import { isReserved } from '../driver/model.ts'
import { parseDuration, parseRate } from '../driver/units.ts'
import type { Context } from './context.ts'
import { checkPem, readPem } from './pem.ts'
import type { BrokerBlock, SecretBlock, UplinkBlock } from './schema.ts'
import { createSecret, readSecret } from './secrets.ts'

const PORTS = { mqtt: 1883, mqtts: 8883, ws: 8080 } as const
type Scheme = keyof typeof PORTS
const BACKFILL_RATE = 32 * 1024
const BACKFILL_DELAY_MS = 30_000
const KEEPALIVE_S = 30

export function resolveBroker(context: Context): BrokerSettings | null {
  const { file, document, findings } = context
  const block = file.broker
  if (block === undefined) return null
  const path = ['broker']
  if ((block.listen === undefined) === (block.connect === undefined))
    findings.error(document.keyAt(path), 'brokerForm', {})
  const listen = (block.listen ?? []).flatMap((text, index) => {
    const address = parseAddress(text, [...path, 'listen', index], ['mqtt', 'mqtts', 'ws'], context)
    return address === null ? [] : [{ kind: address.scheme, host: address.host, port: address.port }]
  })
  for (const [index, { host, port }] of listen.entries())
    if (listen.findIndex((other) => other.host === host && other.port === port) < index)
      findings.error(document.at([...path, 'listen', index]), 'listenTwice', { address: `${host}:${port}` })
  if (block.connect !== undefined && block.clients !== undefined)
    findings.warn(document.keyAt([...path, 'clients']), 'clientsElsewhere', {})
  if (listen.some(({ kind }) => kind === 'mqtts') && block.tls === undefined)
    findings.error(document.at([...path, 'listen']), 'brokerTls', {})
  return {
    listen,
    tls: block.tls === undefined ? null : brokerTls(block.tls, context),
    connect: connectOf(block, context),
    clients: clientsOf(block, listen, context),
  }
}

function connectOf({ connect }: BrokerBlock, context: Context): BrokerSettings['connect'] {
  if (connect === undefined) return null
  const path = ['broker', 'connect']
  parseAddress(connect.server, [...path, 'server'], ['mqtt', 'mqtts'], context)
  const password = secretOf(connect.password, [...path, 'password'], context)
  return { server: connect.server, username: connect.username ?? null, password }
}

function clientsOf(block: BrokerBlock, listen: readonly BrokerListener[], context: Context): BrokerSettings['clients'] {
  const open = listen.some(({ host }) => !isLoopback(host))
  return Object.entries(block.clients ?? {}).map(([id, client]) => {
    const path = ['broker', 'clients', id]
    if (client.password === undefined && open)
      context.findings.error(context.document.keyAt(path), 'anonymous', { client: id })
    const password = secretOf(client.password, [...path, 'password'], context)
    return { id, password, publish: client.publish ?? [], subscribe: client.subscribe ?? [] }
  })
}

function brokerTls(tls: NonNullable<BrokerBlock['tls']>, context: Context): BrokerSettings['tls'] {
  const path = ['broker', 'tls']
  const own = { kind: 'certificate', damaged: 'error' } as const
  return {
    cert: readPem(tls.cert, [...path, 'cert'], own, context),
    key: brokerKey(tls.key, [...path, 'key'], context),
    ca: tls.ca === undefined ? null : readPem(tls.ca, [...path, 'ca'], own, context),
  }
}

function brokerKey(key: NonNullable<BrokerBlock['tls']>['key'], path: Path, context: Context): string {
  const use = { kind: 'key', damaged: 'error' } as const
  if (typeof key === 'string') return readPem(key, path, use, context)
  const text = secretOf(key, path, context)?.reveal() ?? ''
  if (text !== '') checkPem(text, `secret ${key.secret}`, path, use, context)
  return text
}

export function resolveUplinks(context: Context): readonly UplinkSettings[] {
  const { file, document, findings } = context
  return Object.entries(file.uplinks ?? {}).map(([id, block]) => {
    const path = ['uplinks', id]
    if (isReserved(id)) findings.error(document.keyAt(path), 'celWord', { id })
    if (block.commands !== undefined) findings.warn(document.keyAt([...path, 'commands']), 'commandsLater', {})
    if (block.confirm === 'e2e') findings.error(document.at([...path, 'confirm']), 'confirmLater', {})
    for (const [index, server] of block.servers.entries()) {
      const at: Path = [...path, 'servers', index]
      const address = parseAddress(server, at, ['mqtt', 'mqtts'], context)
      if (address?.scheme === 'mqtt' && !isLoopback(address.host) && !context.lab)
        findings.error(document.at(at), 'unencrypted', { url: server })
    }
    return {
      id,
      dialect: block.dialect ?? 'native',
      tenant: block.tenant ?? 'demo',
      servers: block.servers,
      username: block.username ?? null,
      password: secretOf(block.password, [...path, 'password'], context),
      tls: uplinkTls(block, path, context),
      confirm: block.confirm ?? 'puback',
      backfill: {
        bytesPerSecond: rateOf(block.backfill?.rate, 's') ?? BACKFILL_RATE,
        delayMs: parseDuration(block.backfill?.delay ?? '') ?? BACKFILL_DELAY_MS,
      },
      budgetBytesPerDay: rateOf(block.budget, 'd'),
      keepaliveS: keepaliveOf(block, path, context),
    }
  })
}

function keepaliveOf({ keepalive }: UplinkBlock, path: Path, { document, findings }: Context): number {
  if (keepalive === undefined) return KEEPALIVE_S
  const seconds = Math.round((parseDuration(keepalive) ?? 0) / 1000)
  if (seconds >= 5 && seconds <= 3600) return seconds
  findings.error(document.at([...path, 'keepalive']), 'amountRange', { where: 'keepalive', min: '5s', max: '1h' })
  return KEEPALIVE_S
}

function uplinkTls({ tls }: UplinkBlock, path: Path, context: Context): UplinkSettings['tls'] {
  if (tls === undefined) return null
  const read = (name: 'ca' | 'cert'): string | null =>
    tls[name] === undefined
      ? null
      : readPem(tls[name], [...path, 'tls', name], { kind: 'certificate', damaged: 'warning' }, context)
  const keyAt: Path = [...path, 'tls', 'key']
  const key = secretOf(tls.key, keyAt, context)
  if (key !== null && typeof tls.key === 'object')
    checkPem(key.reveal(), `secret ${tls.key.secret}`, keyAt, { kind: 'key', damaged: 'warning' }, context)
  return { ca: read('ca'), cert: read('cert'), key }
}

function rateOf(text: string | undefined, per: 's' | 'd'): number | null {
  return text === undefined ? null : parseRate(text, per)
}

function secretOf(
  block: SecretBlock | undefined,
  path: Path,
  { document, findings, secrets, lab }: Context,
): Secret | null {
  if (block === undefined) return null
  const at = document.at(path)
  if (typeof block === 'string') {
    if (!lab) findings.error(at, 'secretLiteral', { where: path.join('.') })
    return createSecret(block)
  }
  const name = block.secret
  const found = readSecret(name, secrets)
  if (!('why' in found)) return found
  if (found.why === 'missing') findings.error(at, 'secretMissing', { name, path: found.path })
  else if (found.why === 'mode') findings.error(at, 'secretMode', { name, path: found.path, mode: found.mode })
  else findings.error(at, 'secretUnreadable', { name, why: found.text })
  return null
}

function parseAddress<S extends Scheme>(
  text: string,
  path: Path,
  schemes: readonly S[],
  { document, findings }: Context,
): { scheme: S; host: string; port: number } | null {
  const at = document.at(path)
  const url = URL.canParse(text) ? new URL(text) : null
  const scheme = schemes.find((each) => url?.protocol === `${each}:`)
  if (url === null || scheme === undefined || url.hostname === '') {
    const wanted = schemes.map((each) => `${each}://host:${PORTS[each]}`).join(', ')
    findings.error(at, 'badUrl', { url: url?.password ? `${url.protocol}//${url.host}` : text, wanted })
    return null
  }
  if (url.username !== '' || url.password !== '') findings.error(at, 'urlSecret', {})
  // MQTT has no paths; what would be passed over was meant for something.
  const beyond = `${url.pathname === '/' ? '' : url.pathname}${url.search}${url.hash}`
  if (scheme !== 'ws' && beyond !== '') findings.error(at, 'urlBeyond', { beyond, scheme })
  const host = url.hostname.replace(/^\[|\]$/g, '')
  return { scheme, host, port: url.port === '' ? PORTS[scheme] : Number(url.port) }
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}
