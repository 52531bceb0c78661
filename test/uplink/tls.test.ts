/** Encrypted uplinks: verification is always on, and a refusal says which. */
import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { UplinkSettings } from '../../src/model/site.ts'
import { openRig, type Rig, until } from './rig.ts'
import { type FakeServer, openServer } from './server.ts'

type Pair = { readonly cert: string; readonly key: string }
const CERTIFICATES = JSON.parse(readFileSync(new URL('./certificates.json', import.meta.url), 'utf8')) as Record<
  'server' | 'expired' | 'other' | 'client',
  Pair
> & { readonly ca: string }

const open: { close: () => Promise<void> }[] = []
afterEach(async () => {
  vi.unstubAllEnvs()
  for (const thing of open.splice(0).reverse()) await thing.close()
})

async function serve(pair: Pair, mutual = false): Promise<FakeServer> {
  const server = await openServer({}, { ...pair, ca: CERTIFICATES.ca, requestCert: mutual, rejectUnauthorized: mutual })
  open.push(server)
  return server
}

function connect(server: FakeServer, tls: UplinkSettings['tls']): Rig {
  const rig = openRig([server.url], { settings: { tls } })
  open.push(rig.uplink)
  return rig
}

const TRUST = { ca: CERTIFICATES.ca, cert: null, key: null }

describe('encrypted uplinks', () => {
  it('connect with the CA of the site file', async () => {
    const rig = connect(await serve(CERTIFICATES.server), TRUST)
    rig.add('t')
    await until(() => rig.uplink.status().acked === 1)
  })

  it('show their own certificate where it is asked for', async () => {
    const server = await serve(CERTIFICATES.server, true)
    const { cert, key } = CERTIFICATES.client
    const rig = connect(server, { ca: CERTIFICATES.ca, cert, key: { reveal: () => key } })
    await until(() => rig.uplink.status().connected)
    const bare = connect(server, TRUST)
    await until(() => bare.uplink.status().lastError !== null)
    expect(bare.uplink.status().connected).toBe(false)
  })

  it.each([
    ['an expired certificate', CERTIFICATES.expired, TRUST, /CERT_HAS_EXPIRED/],
    ['the wrong host', CERTIFICATES.other, TRUST, /ERR_TLS_CERT_ALTNAME_INVALID/],
    ['an unknown CA', CERTIFICATES.server, null, /UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED_CERT_IN_CHAIN/],
  ])('refuse %s, and say so', async (_, pair, tls, cause) => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    const server = await serve(pair)
    const rig = connect(server, tls)
    await until(() => rig.uplink.status().lastError !== null)
    expect(rig.uplink.status().lastError).toMatch(cause)
    await until(() => rig.uplink.status().attempts >= 3)
    expect(server.connects).toEqual([])
  })
})
