import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { deflateRawSync, gzipSync } from 'node:zlib'
import { PermanentError } from '../../systemscripts/errors.ts'
import { type FileContent, type Member, type MemberLimits, membersOf } from '../../systemscripts/file-members.ts'
import { temporaryFile, xlsxOf, zipOf } from './test-files.ts'

test('a gzip is one member, under the name in its header or its own without .gz', async (t) => {
  const [member] = await membersOf(await temporaryFile(t, 'prices.csv.gz', gzipSync('a,b\n1,2\n')), 'gzip')
  assert.equal(member?.name, 'prices.csv')
  const content = await opened(member)
  assert.deepEqual([content.kind, content.fileName, content.path], ['csv', 'prices.csv in prices.csv.gz', null])
  assert.equal(await textOf(content), 'a,b\n1,2\n')
  assert.equal(await textOf(content), 'a,b\n1,2\n', 'the bytes may be walked again')
  const named = gzipSync('{"a":1}\n')
  named[3] = 8
  const header = Buffer.concat([named.subarray(0, 10), Buffer.from('folder/january.json\0'), named.subarray(10)])
  const [other] = await membersOf(await temporaryFile(t, 'x.gz', header), 'gzip')
  assert.deepEqual([other?.name, (await opened(other)).kind], ['january.json', 'json'])
})

test('several gzips behind each other are one text', async (t) => {
  const path = await temporaryFile(t, 'parts.gz', Buffer.concat([gzipSync('a,b\n'), gzipSync('1,2\n'), gzipSync('3,4\n')]))
  const [member] = await membersOf(path, 'gzip')
  assert.equal(await textOf(await opened(member)), 'a,b\n1,2\n3,4\n')
})

test('the files of a zip come by name, without folders and what macOS adds', async (t) => {
  const path = await temporaryFile(
    t,
    'all.zip',
    zipOf({ 'b.csv': 'b\n2\n', 'folder/': '', '__MACOSX/._b.csv': 'x', '.DS_Store': 'x', 'folder/a.csv': 'a\n1\n', 'a.json': '{"a":1}' }),
  )
  const members = await membersOf(path, 'zip')
  assert.deepEqual(
    members.map(({ name }) => name),
    ['a.json', 'b.csv', 'folder/a.csv'],
  )
  assert.equal(await textOf(await opened(members[1])), 'b\n2\n')
  assert.equal((await opened(members[0])).kind, 'json')
})

test('packed members are unpacked and checked', async (t) => {
  const text = `a,b\n${'1,2\n'.repeat(50_000)}`
  const [member] = await membersOf(await temporaryFile(t, 'all.zip', deflated(zipOf({ 'x.csv': text }), text)), 'zip')
  assert.equal(await textOf(await opened(member)), text)
})

test('names are UTF-8 or code page 437, and only labels', async (t) => {
  const bytes = zipOf({ 'gr_sse.csv': 'a\n', '../../etc/x.csv': 'b\n' })
  for (let at = bytes.indexOf('gr_sse'); at !== -1; at = bytes.indexOf('gr_sse', at + 1)) bytes[at + 2] = 0x94
  const members = await membersOf(await temporaryFile(t, 'names.zip', bytes), 'zip')
  assert.deepEqual(
    members.map(({ name }) => name),
    ['../../etc/x.csv', 'grösse.csv'],
  )
  assert.equal(await textOf(await opened(members[0])), 'b\n')
  const [utf8] = await membersOf(await temporaryFile(t, 'names.zip', zipOf({ 'größe.csv': 'a\n' })), 'zip')
  assert.equal(utf8?.name, 'größe.csv')
})

test('a workbook in an archive is unpacked to a file, and nothing of it is left behind', async (t) => {
  const book = xlsxOf('<sheetData/>')
  const left = async (): Promise<string[]> => (await readdir(tmpdir())).filter((name) => /^rota-(?!test)/.test(name))
  const before = await left()
  for (const [kind, bytes] of [
    ['zip', zipOf({ 'book.xlsx': book })],
    ['gzip', gzipSync(book)],
  ] as const) {
    const [member] = await membersOf(await temporaryFile(t, 'book.packed', bytes), kind)
    const content = await opened(member)
    assert.equal(content.kind, 'xlsx')
    assert.deepEqual(await readFile(content.path ?? ''), book)
    await content.close()
    await content.close()
  }
  assert.deepEqual(await left(), before)
})

test('a thread that is killed leaves no unpacked file and no open one', { skip: process.platform !== 'linux' }, async (t) => {
  const path = await temporaryFile(t, 'book.zip', zipOf({ 'book.xlsx': xlsxOf('<sheetData/>') }))
  const openFiles = async (): Promise<number> => (await readdir('/proc/self/fd')).length
  const module = new URL('../../systemscripts/file-members.ts', import.meta.url).href
  const code = `
    const { membersOf } = await import(${JSON.stringify(module)})
    const [member] = await membersOf(${JSON.stringify(path)}, 'zip')
    globalThis.kept = await member.open()
    const { parentPort } = await import('node:worker_threads')
    parentPort.postMessage(globalThis.kept.path)
    setInterval(() => {}, 1000)`
  const before = await openFiles()
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`))
  const kept = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  assert.match(String(kept), /^\/proc\/self\/fd\//)
  await worker.terminate()
  assert.ok((await openFiles()) <= before)
})

test('what cannot be unpacked is refused, each case with its own code', async (t) => {
  const csv = 'a,b\n'.repeat(3000)
  const locked = zipOf({ 'a.csv': csv })
  for (const [mark, flags] of [
    ['PK\x03\x04', 6],
    ['PK\x01\x02', 8],
  ] as const) {
    locked.writeUInt16LE(1, locked.indexOf(Buffer.from(mark, 'latin1')) + flags)
  }
  const flipped = zipOf({ 'a.csv': csv })
  flipped[5000] = 0x41
  const overlapping = zipOf({ 'a.csv': csv, 'b.csv': csv })
  overlapping.writeUInt32LE(0, overlapping.lastIndexOf(Buffer.from('PK\x01\x02', 'latin1')) + 42)
  const gzip = gzipSync(Array.from({ length: 5000 }, (_, index) => `${(index * 7919) % 104_729},b\n`).join(''))
  const wrongSum = gzipSync(csv)
  wrongSum.writeUInt8((wrongSum.at(-6) ?? 0) ^ 1, wrongSum.length - 6)
  const cases: [string, 'gzip' | 'zip', Buffer, MemberLimits?][] = [
    ['archive_broken', 'zip', zipOf({ 'a.csv': csv }).subarray(0, 9000)],
    ['archive_broken', 'zip', flipped],
    ['archive_broken', 'gzip', gzip.subarray(0, gzip.length - 4)],
    ['archive_broken', 'gzip', wrongSum],
    ['archive_unsafe', 'zip', overlapping],
    ['archive_encrypted', 'zip', locked],
    ['archive_empty', 'zip', zipOf({ 'folder/': '' })],
    ['archive_in_archive', 'zip', zipOf({ 'more.zip': zipOf({ 'a.csv': csv }) })],
    ['archive_in_archive', 'zip', zipOf({ 'a.csv.gz': gzipSync(csv) })],
    ['archive_in_archive', 'gzip', gzipSync(zipOf({ 'a.csv': csv }))],
    ['file_is_tar', 'gzip', gzipSync(Buffer.concat([Buffer.alloc(257), Buffer.from('ustar'), Buffer.alloc(300)]))],
    ['file_is_pdf', 'zip', zipOf({ 'a.pdf': '%PDF-1.7\n' })],
    ['file_empty', 'gzip', gzipSync('')],
    ['archive_too_large', 'zip', zipOf({ 'a.csv': csv }), { maxUnpackedBytes: 5000 }],
    ['archive_too_large', 'gzip', gzipSync(csv), { maxUnpackedBytes: 5000 }],
    ['archive_too_large', 'zip', zipOf({ 'a.csv': csv, 'b.csv': csv }), { maxMembers: 1 }],
    ['archive_too_large', 'gzip', gzipSync(xlsxOf(`<sheetData/>${' '.repeat(9000)}`)), { maxUnpackedBytes: 5000 }],
  ]
  for (const [code, kind, bytes, limits] of cases) {
    const path = await temporaryFile(t, 'packed', bytes)
    const read = async (): Promise<void> => {
      for (const member of await membersOf(path, kind, limits)) await textOf(await member.open())
    }
    await assert.rejects(read, (error) => error instanceof PermanentError && error.code === code, code)
  }
})

test('a bomb ends once it has unpacked to many times its size', async (t) => {
  const path = await temporaryFile(t, 'bomb.gz', gzipSync(Buffer.alloc(320 * 1024 * 1024, 'a,b\n'), { level: 9 }))
  const [member] = await membersOf(path, 'gzip')
  const content = await opened(member)
  await assert.rejects(
    async () => {
      for await (const _ of content.bytes());
    },
    { code: 'archive_too_large' },
  )
})

async function opened(member: Member | undefined): Promise<FileContent> {
  assert.ok(member)
  return member.open()
}

async function textOf(content: FileContent): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of content.bytes()) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}

/** A zip of one entry, whose content is packed after the fact. */
function deflated(zip: Buffer, text: string): Buffer {
  const packed = deflateRawSync(text)
  const start = zip.indexOf(text)
  const directory = Buffer.from(zip.subarray(start + text.length))
  const local = Buffer.from(zip.subarray(0, start))
  local.writeUInt16LE(8, 8)
  local.writeUInt32LE(packed.length, 18)
  directory.writeUInt16LE(8, 10)
  directory.writeUInt32LE(packed.length, 20)
  directory.writeUInt32LE(start + packed.length, directory.length - 6)
  return Buffer.concat([local, packed, directory])
}
