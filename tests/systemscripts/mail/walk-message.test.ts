import assert from 'node:assert/strict'
import { test } from 'node:test'
import { textOfPart, textParts } from '../../../systemscripts/mail/body-text.ts'
import { attachmentsOf, type MessagePart } from '../../../systemscripts/mail/message-part.ts'
import { walkMessage } from '../../../systemscripts/mail/mime/walk-message.ts'
import { openPart, stretchOf } from '../../../systemscripts/mail/open-part.ts'
import { unpackParts } from '../../../systemscripts/mail/unpack-parts.ts'
import { base64Lines, collect, inPieces, mail, plainMail } from './make-mail.ts'

const open = (bytes: Buffer) => (part: MessagePart | null, range?: { start: number; end: number }) =>
  stretchOf(inPieces(bytes, 1000), range ?? { start: 0, end: part === null ? bytes.length : 0 })

async function contents(bytes: Buffer): Promise<Record<string, string>> {
  const root = await walkMessage(inPieces(bytes, 64))
  await unpackParts(root, open(bytes))
  const found: Record<string, string> = {}
  for (const { part, name } of attachmentsOf(root))
    found[`${part.partId} ${name}`] = (await collect(openPart(part, open(bytes)))).toString('latin1')
  return found
}

const nested = mail(
  'From: a@x.org',
  'Content-Type: multipart/mixed; boundary=outer',
  '',
  'preamble',
  '--outer',
  'Content-Type: multipart/alternative; boundary="in ner"',
  '',
  '--in ner',
  'Content-Type: text/plain; charset=utf-8',
  '',
  'plain text',
  '--in ner',
  'Content-Type: multipart/related; boundary=rel',
  '',
  '--rel',
  'Content-Type: text/html',
  '',
  '<p>shown <b>text</b></p><style>p{}</style>',
  '--rel',
  'Content-Type: image/png; name=logo.png',
  'Content-ID: <logo>',
  'Content-Disposition: inline; filename=logo.png',
  'Content-Transfer-Encoding: base64',
  '',
  'UE5H',
  '--rel--',
  'epilogue',
  '--in ner--',
  '--outer  ',
  'Content-Type: application/vnd.ms-excel',
  'Content-Disposition: inline; filename="prices.xls"',
  'Content-Transfer-Encoding: BASE64 (yes)',
  '',
  base64Lines(Buffer.from('the table')),
  '--outer',
  'Content-Type: message/rfc822',
  '',
  'Subject: inside',
  'Content-Type: multipart/mixed; boundary=deep',
  '',
  '--deep',
  '',
  'the text inside',
  '--deep',
  'Content-Type: text/csv; name=inside.csv',
  '',
  'a;b',
  '1;2',
  '--deep--',
  '',
  '--outer--',
  'nobody reads this',
)

test('files are found however deep and whatever they are called, and their bytes are exact', async () => {
  const found = await contents(nested)
  assert.deepEqual(Object.keys(found), ['1.2.2 logo.png', '2 prices.xls', '3 message.eml', '3.2 inside.csv'])
  assert.equal(found['2 prices.xls'], 'the table')
  assert.equal(found['3.2 inside.csv'], 'a;b\r\n1;2')
  assert.match(found['3 message.eml'] ?? '', /^Subject: inside\r\n.*--deep--\r\n$/s)
})

test('the walk gives the same in pieces of any size', async () => {
  const whole = await walkMessage(inPieces(nested, nested.length))
  for (const size of [1, 2, 3, 7, 100]) assert.deepEqual(await walkMessage(inPieces(nested, size)), whole)
})

test('a picture within a text is told from a file', async () => {
  const files = attachmentsOf(await walkMessage(inPieces(nested, 99)))
  assert.deepEqual(
    files.map(({ isInline }) => isInline),
    [true, false, false, false],
  )
})

test('the texts of a message are read, HTML as it is shown, and those of attached messages are not', async () => {
  const root = await walkMessage(inPieces(nested, 99))
  const texts = []
  for (const part of textParts(root)) texts.push(await textOfPart(part, openPart(part, open(nested))))
  assert.deepEqual(texts, ['plain text', 'shown text'])
})

test('two files of the same name, and files without one, are all given', async () => {
  const found = await contents(
    mail(
      'Content-Type: multipart/mixed; boundary=b',
      '',
      '--b',
      'Content-Type: text/csv; name=a.csv',
      '',
      'one',
      '--b',
      'Content-Type: text/csv; name=a.csv',
      '',
      'two',
      '--b',
      'Content-Type: application/pdf',
      '',
      'three',
      '--b',
      'Content-Disposition: attachment',
      '',
      'four',
      '--b--',
    ),
  )
  assert.deepEqual(found, { '1 a.csv': 'one', '2 a.csv': 'two', '3 part-3.pdf': 'three', '4 part-4.txt': 'four' })
})

test('a message that is one file is that file', async () => {
  const found = await contents(mail('Content-Type: text/csv; name="a.csv"', 'Content-Disposition: attachment; filename="a.csv"', '', 'a;b'))
  assert.deepEqual(found, { '1 a.csv': 'a;b\r\n' })
})

test('a structure that is broken gives what can be told', async () => {
  const head = ['Content-Type: multipart/mixed; boundary=b', '']
  const file = ['--b', 'Content-Type: text/csv; name=a.csv', '', 'one']
  assert.deepEqual(await contents(mail(...head, ...file)), { '1 a.csv': 'one\r\n' }, 'never ends')
  assert.deepEqual(await contents(mail('Content-Type: multipart/mixed', '', ...file, '--b--')), { '1 a.csv': 'one' }, 'no boundary stated')
  assert.deepEqual(await contents(mail(...head, 'no separator at all')), {})
  assert.deepEqual(await contents(Buffer.from('')), {})
  assert.deepEqual(await contents(mail(...head, '--b', 'Content-Type: text/csv; name=a.csv', '--b--')), { '1 a.csv': '' }, 'no blank line')
  assert.deepEqual(await contents(Buffer.from('Content-Type: text/csv; name=a.csv\n\na\nb')), { '1 a.csv': 'a\nb' }, 'only line feeds')
  assert.deepEqual(await contents(mail('From ann@x.org Thu Nov 19', 'Content-Type: text/csv; name=a.csv', '', 'one')), {
    '1 a.csv': 'one\r\n',
  })
})

test('an attached message that came encoded is opened too', async () => {
  const inner = plainMail({ files: [{ name: 'deep.csv', bytes: Buffer.from('a;b') }] })
  const found = await contents(
    mail(
      'Content-Type: multipart/mixed; boundary=b',
      '',
      '--b',
      'Content-Type: message/rfc822; name="forwarded.eml"',
      'Content-Transfer-Encoding: base64',
      '',
      base64Lines(inner),
      '--b--',
    ),
  )
  assert.deepEqual(Object.keys(found), ['1 forwarded.eml', '1#2 deep.csv'])
  assert.equal(found['1#2 deep.csv'], 'a;b')
  assert.equal(found['1 forwarded.eml'], inner.toString('latin1'))
})

test('nesting without end and parts without number end somewhere', async () => {
  const deep = Array.from({ length: 200 }, (_, level) => [`Content-Type: multipart/mixed; boundary=b${level}`, '', `--b${level}`]).flat()
  const root = await walkMessage(inPieces(mail(...deep, 'Content-Type: text/plain', '', 'x'), 10_000))
  let depth = 0
  for (let part: MessagePart | undefined = root; part; part = part.children[0]) depth += 1
  assert.ok(depth <= 32, String(depth))
  const many = await walkMessage(
    inPieces(mail('Content-Type: multipart/mixed; boundary=b', '', ...Array.from({ length: 25_000 }, () => '--b\r\n\r\nx')), 10_000),
  )
  assert.ok(many.children.length <= 20_000)
})

test('a part of one line that never ends is walked without being kept', async () => {
  const before = process.memoryUsage().arrayBuffers
  async function* endless(): AsyncGenerator<Buffer> {
    yield mail('Content-Type: multipart/mixed; boundary=b', '', '--b', 'Content-Type: application/octet-stream; name=big.bin', '')
    for (let index = 0; index < 500; index += 1) yield Buffer.alloc(100_000, 0x41)
    yield mail('', '--b--')
  }
  const root = await walkMessage(endless())
  assert.equal(root.children[0]?.encodedBytes, 50_000_000)
  assert.ok(process.memoryUsage().arrayBuffers - before < 60_000_000)
})
