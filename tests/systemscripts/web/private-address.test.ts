import assert from 'node:assert/strict'
import type { LookupAddress } from 'node:dns'
import { test } from 'node:test'
import { checkedLookup } from '../../../systemscripts/web/address/checked-connect.ts'
import { isPublicAddress } from '../../../systemscripts/web/address/private-address.ts'
import { fetchPage } from '../../../systemscripts/web/fetch-page.ts'
import { clientOf, page, redirect, signal, startWeb } from './web-servers.ts'

test('only addresses of the open internet are open', () => {
  const open = ['1.1.1.1', '8.8.8.8', '100.63.255.255', '100.128.0.0', '172.15.0.1', '172.32.0.1', '192.169.0.1', '223.255.255.255']
  const openIpv6 = ['2606:4700::1111', '2a00:1450:4001::200e', '[2606:4700::1111]', '64:ff9b::808:808', '64:ff9b::8.8.8.8']
  for (const address of [...open, ...openIpv6]) assert.equal(isPublicAddress(address), true, address)
  const closed = [
    ...[
      '0.0.0.0',
      '10.0.0.1',
      '100.64.0.1',
      '100.127.255.255',
      '127.0.0.1',
      '127.255.1.2',
      '169.254.169.254',
      '172.16.0.1',
      '172.31.255.255',
    ],
    ...['192.0.0.8', '192.0.2.1', '192.88.99.1', '192.168.1.1', '198.18.0.1', '198.51.100.7', '203.0.113.9', '224.0.0.1', '240.0.0.1'],
    ...[
      '255.255.255.255',
      '::',
      '::1',
      '::ffff:127.0.0.1',
      '::ffff:8.8.8.8',
      '::127.0.0.1',
      'fe80::1',
      'fe80::1%eth0',
      'fec0::1',
      'fc00::1',
    ],
    ...[
      'fd12:3456::1',
      'ff02::1',
      '2001:db8::1',
      '3fff::1',
      '2002:7f00:1::1',
      '2001::1',
      '2001:10::1',
      '64:ff9b::7f00:1',
      '64:ff9b::a00:1',
    ],
    ...['64:ff9b:1::1', '100::1', '5f00::1', '', 'localhost', '1.2.3', '1.2.3.4.5'],
  ]
  for (const address of closed) assert.equal(isPublicAddress(address), false, address)
})

test('addresses of this machine are refused however they are written, before anything is asked', async (t) => {
  const web = await startWeb(t, { '*': page('inner') })
  const client = clientOf(t, { allowPrivate: () => false })
  const hosts = ['127.0.0.1', '127.1', '0x7f000001', '2130706433', '017700000001', '0', '[::1]', '[::ffff:127.0.0.1]', '[0:0:0:0:0:0:0:1]']
  for (const host of [...hosts, '127。0。0。1', 'localhost', 'LOCALHOST']) {
    const error = { code: 'private_address', name: 'PermanentError' }
    await assert.rejects(fetchPage(client, `http://${host}:${web.port}/`, { signal }), error, host)
  }
  assert.deepEqual([web.requests, web.connections()], [[], 0])
})

test('a redirect does not lead inwards', async (t) => {
  const inner = await startWeb(t, { '*': page('inner') })
  const web = await startWeb(t, {
    '/a': redirect(`http://localhost:${inner.port}/`),
    '/b': redirect(`http://[::ffff:7f00:1]:${inner.port}/`),
  })
  const client = clientOf(t, { allowPrivate: (name) => name === '127.0.0.1' })
  for (const path of ['a', 'b']) {
    await assert.rejects(fetchPage(client, `${web.origin}/${path}`, { signal }), { code: 'private_address' })
  }
  assert.equal(inner.connections(), 0)
})

test('a host that is allowed may be an inner one', async (t) => {
  const web = await startWeb(t, { '*': page('inner') })
  const client = clientOf(t, { allowPrivate: (name) => name === 'localhost' })
  assert.equal((await fetchPage(client, `http://localhost:${web.port}/`, { signal })).text, 'inner')
  await assert.rejects(fetchPage(client, `http://127.0.0.1:${web.port}/`, { signal }), { code: 'private_address' })
})

test('the connection goes to an address that was looked at: a name gives its open ones only', async () => {
  const look = (isAllowed: boolean, all: boolean): Promise<string | LookupAddress[]> =>
    new Promise((resolve, reject) => {
      checkedLookup(() => isAllowed)('localhost', { all }, (error, address) => (error === null ? resolve(address) : reject(error)))
    })
  await assert.rejects(look(false, true), { code: 'private_address' })
  await assert.rejects(look(false, false), { code: 'private_address' })
  assert.match(String(await look(true, false)), /^(127\.0\.0\.1|::1)$/)
  assert.ok(Array.isArray(await look(true, true)))
})
