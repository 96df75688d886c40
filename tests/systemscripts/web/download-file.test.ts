import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { pipeline, Readable } from 'node:stream'
import { test } from 'node:test'
import zlib from 'node:zlib'
import { downloadFile } from '../../../systemscripts/web/download-file.ts'
import { statedName } from '../../../systemscripts/web/http/stated-name.ts'
import { temporaryFolder } from '../test-files.ts'
import { clientOf, page, redirect, signal, startWeb } from './web-servers.ts'

const MIB = Buffer.alloc(1024 * 1024, 'rota')

/** So many mebibytes, written as fast as they are taken. */
function pour(response: ServerResponse, count: number): void {
  pipeline(Readable.from(Array.from({ length: count }, () => MIB)), response, () => {})
}

test('a file is saved whole under the name that the server gives, with its hash', async (t) => {
  const content = Buffer.from('a,b\n1,2\n')
  const web = await startWeb(t, {
    '/list.xls': redirect('/real?id=7'),
    '/real': (_, response) => {
      response.writeHead(200, { 'content-disposition': 'attachment; filename="price list.csv"', 'content-encoding': 'gzip', etag: '"1"' })
      response.end(zlib.gzipSync(content))
    },
  })
  const folder = join(await temporaryFolder(t), 'in', 'box')
  const file = await downloadFile(clientOf(t), `${web.origin}/list.xls`, folder, { signal })
  assert.equal(file.path, join(folder, 'price list.csv'))
  assert.deepEqual(await readFile(join(folder, 'price list.csv')), content)
  assert.deepEqual([file.sizeBytes, file.sha256, file.etag], [8, createHash('sha256').update(content).digest('hex'), '"1"'])
  assert.deepEqual([file.url, file.redirectedFrom], [`${web.origin}/real?id=7`, [`${web.origin}/list.xls`]])
  const again = await downloadFile(clientOf(t), `${web.origin}/real`, folder, { signal, nameOf: (stated) => `7_${stated}` })
  assert.deepEqual([again.path, again.statedName], [join(folder, '7_price list.csv'), 'price list.csv'])
})

test('a name that is taken is numbered, and no name leaves the folder', async (t) => {
  const web = await startWeb(t, { '*': page('new', { 'content-disposition': 'attachment; filename="../../a.csv"' }) })
  const folder = await temporaryFolder(t)
  await writeFile(join(folder, 'a.csv'), 'old')
  await downloadFile(clientOf(t), web.origin, folder, { signal })
  await downloadFile(clientOf(t), web.origin, folder, { signal, nameOf: () => '../b.csv' })
  assert.deepEqual((await readdir(folder)).sort(), ['a.csv', 'a_2.csv', 'b.csv'])
  assert.equal(await readFile(join(folder, 'a.csv'), 'utf8'), 'old')
})

test('a file that has not changed is not fetched again', async (t) => {
  const web = await startWeb(t, {
    '*': (request, response) => response.writeHead(request.headers['if-none-match'] === '"1"' ? 304 : 200).end(),
  })
  const folder = await temporaryFolder(t)
  assert.equal((await downloadFile(clientOf(t), web.origin, folder, { signal, etag: '"1"' })).path, null)
  assert.deepEqual(await readdir(folder), [])
})

test('a download that fails, is too large, is cut or is a challenge page leaves nothing', async (t) => {
  let cuts = 0
  const web = await startWeb(t, {
    '/404': page('no', {}, 404),
    '/large': (_, response) => pour(response, 50),
    '/wall': page('<title>Just a moment...</title>'),
    '/cut': (_, response) => {
      response.writeHead(200, { 'content-length': '10' })
      cuts += 1
      if (cuts < 3) response.write('half', () => response.destroy())
      else response.end('0123456789')
    },
  })
  const folder = await temporaryFolder(t)
  const client = clientOf(t)
  await assert.rejects(downloadFile(client, `${web.origin}/404`, folder, { signal }), { code: 'page_not_found' })
  await assert.rejects(downloadFile(client, `${web.origin}/large`, folder, { signal, maxBytes: 3_000_000 }), { code: 'page_too_large' })
  await assert.rejects(downloadFile(client, `${web.origin}/wall`, folder, { signal }), { code: 'challenge_page' })
  assert.deepEqual(await readdir(folder), [])
  assert.equal((await downloadFile(client, `${web.origin}/cut`, folder, { signal })).sizeBytes, 10)
  assert.deepEqual(await readdir(folder), ['cut'])
})

test('memory does not grow with the file', async (t) => {
  const sizeMib = 400
  const web = await startWeb(t, { '*': (_, response) => pour(response, sizeMib) })
  const client = clientOf(t)
  const folder = await temporaryFolder(t)
  let highest = 0
  const before = process.memoryUsage().rss
  const watch = setInterval(() => {
    highest = Math.max(highest, process.memoryUsage().rss)
  }, 5)
  const file = await downloadFile(client, web.origin, folder, { signal }).finally(() => clearInterval(watch))
  assert.equal(file.sizeBytes, sizeMib * 1024 * 1024)
  assert.ok(highest - before < 150 * 1024 * 1024, `${Math.round((highest - before) / 1024 / 1024)} MiB more`)
})

test('names of downloads are read as browsers read them', () => {
  const url = new URL('https://x.org/a/list%20of%C3%BCr.xls?x=1')
  const latin1 = (text: string): string => Buffer.from(text).toString('latin1')
  const names: [string | null, string][] = [
    [null, 'list ofür.xls'],
    ['attachment', 'list ofür.xls'],
    ['attachment; filename=plain.csv', 'plain.csv'],
    ['attachment; filename="a;b.csv"; size=5', 'a;b.csv'],
    ['attachment; filename="a \\"b\\".csv"', 'a _b_.csv'],
    ['attachment; filename="x.csv"; filename*=UTF-8\'\'Gr%C3%B6%C3%9Fe%20%E2%82%AC.csv', 'Größe €.csv'],
    ["attachment; filename*=iso-8859-1'de'Gr%F6%DFe.csv", 'Größe.csv'],
    [latin1('attachment; filename="Größe.csv"'), 'Größe.csv'],
    [Buffer.from('attachment; filename="Größe.csv"', 'latin1').toString('latin1'), 'Größe.csv'],
    ['attachment; filename="Gr%C3%B6%C3%9Fe.csv"', 'Größe.csv'],
    ['attachment; filename="=?UTF-8?B?R3LDtsOfZS5jc3Y=?="', 'Größe.csv'],
    ['attachment; filename="=?utf-8?q?Gr=C3=B6=C3=9Fe_x.csv?="', 'Größe x.csv'],
    ['attachment; filename="C:\\\\Users\\\\ann\\\\a.csv"', 'a.csv'],
    ['attachment; filename="100% sure.csv"', '100% sure.csv'],
    ['attachment; filename=""', 'list ofür.xls'],
  ]
  for (const [header, name] of names) assert.equal(statedName(header, url), name, String(header))
  assert.equal(statedName(null, new URL('https://x.org/')), 'download')
  assert.equal(statedName('attachment; filename="/etc/passwd"', url), 'passwd')
  assert.equal(statedName('attachment; filename="CON.txt"', url), '_CON.txt')
})
