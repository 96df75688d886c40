import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { PermanentError } from '../../systemscripts/errors.ts'
import { bytesRefusal, openText, read, readBytes, refusal } from './csv-reads.ts'

describe('encoding', () => {
  test('a byte order mark is no part of the first name', async () => {
    assert.deepEqual((await read('\ufeffä,b\n1,2\n')).headers, ['ä', 'b'])
  })

  test('UTF-16 is read in both byte orders, with and without a byte order mark', async () => {
    const text = 'id,name\n1,Łódź\n'
    for (const mark of ['\ufeff', '']) {
      const little = Buffer.from(mark + text, 'utf16le')
      for (const bytes of [little, Buffer.from(little).swap16()]) {
        assert.deepEqual(await readBytes([bytes]), { headers: ['id', 'name'], values: [['1', 'Łódź']] })
      }
    }
  })

  test('a stated encoding is used, and the byte order mark knows better', async () => {
    assert.deepEqual((await readBytes([Buffer.from('a,b\n\x80,\xe9\n', 'latin1')], { encoding: 'windows-1252' })).values, [['€', 'é']])
    assert.deepEqual((await readBytes([Buffer.from('\ufeffa,b\né,1\n')], { encoding: 'windows-1252' })).values, [['é', '1']])
  })

  test('bytes that are not UTF-8, though the encoding is stated to be, are refused with their offset', async () => {
    const error = await bytesRefusal([Buffer.from('name,town\nA,Z\xfcrich\n', 'latin1')], { encoding: 'utf-8' })
    assert.equal(error.code, 'encoding_not_utf8')
    assert.match(error.detail ?? '', /0xFC at offset 13 .*after "name,town\\nA,Z"/)
    assert.match(error.hint ?? '', /encoding/)
  })

  test('a wrong byte far into the file is told by its offset, past replacement characters that are data', async () => {
    const good = Buffer.from(`a,b\n${'ü,\ufffd\n'.repeat(50_000)}`)
    const error = await bytesRefusal([good, Buffer.from([0x31, 0xff, 0x0a])])
    assert.match(error.detail ?? '', new RegExp(`0xFF at offset ${good.length + 1} `))
  })

  test('a file that ends inside a character is refused', async () => {
    assert.equal((await bytesRefusal([Buffer.from('a,b\n1,ü').subarray(0, -1)])).code, 'encoding_not_utf8')
  })

  test('an encoding nobody knows and one that does not fit are refused', async () => {
    assert.equal((await refusal('a,b\n', { encoding: 'klingon' })).code, 'encoding_unknown')
    assert.equal((await bytesRefusal([Buffer.from([0x61, 0x0a, 0xff])], { encoding: 'shift_jis' })).code, 'encoding_mismatch')
  })
})

describe('broken files', () => {
  test('a quote that is not closed is told by the line where it opened', async () => {
    const error = await refusal('a,b\n1,2\n3,"four\n5,6\n7,8\n')
    assert.equal(error.code, 'quote_not_closed')
    assert.match(error.message, /line 3/)
  })

  test('text after a closing quote is refused with its line', async () => {
    const error = await refusal('a,b\n1,2\n"he said "no" twice",2\n')
    assert.equal(error.code, 'text_after_quote')
    assert.match(error.message, /line 3/)
  })

  test('a quote that was lost is told by the line where its field began', async () => {
    const error = await refusal('a,b\n1,"lost\n2,x\n3,y\n4,"next"\n')
    assert.equal(error.code, 'text_after_quote')
    assert.match(error.message, /line 5/)
    assert.match(error.detail ?? '', /opened on line 2/)
  })

  test('any heap of bytes ends in rows or in a refusal', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc
        .array(fc.constantFrom(0x22, 0x2c, 0x0a, 0x0d, 0x61, 0x5c, 0xc3, 0xa4, 0x00, 0xff), { maxLength: 200 })
        .map((list) => Uint8Array.from(list)),
    )
    await fc.assert(
      fc.asyncProperty(bytes, fc.integer({ min: 1, max: 50 }), async (heap, size) => {
        const cut = Array.from({ length: Math.ceil(heap.length / size) }, (_, piece) => heap.subarray(piece * size, (piece + 1) * size))
        try {
          const { headers, values } = await readBytes(cut)
          assert.ok(values.every((row) => row.length === headers.length))
        } catch (error) {
          if (!(error instanceof PermanentError)) throw error
        }
      }),
      { numRuns: 1000 },
    )
  })

  test('a NUL character is refused with its line', async () => {
    const error = await refusal('a,b\n1,2\n3,x\0y\n')
    assert.equal(error.code, 'nul_character')
    assert.match(error.message, /line 3/)
  })

  test('a field of more than 64 MiB is refused, quoted or not', async () => {
    const large = Buffer.alloc(1024 * 1024, 'x')
    const pieces = (start: string) => [Buffer.from(start), ...Array.from({ length: 66 }, () => large)]
    assert.equal((await bytesRefusal(pieces('a,b\n1,'))).code, 'record_too_large')
    assert.equal((await bytesRefusal(pieces('a,b\n1,"'))).code, 'quote_not_closed')
  })

  test('a field of 40 MiB is read', async () => {
    const large = Buffer.alloc(1024 * 1024, 'x')
    const { values } = await readBytes([Buffer.from('a,b\n1,"'), ...Array.from({ length: 40 }, () => large), Buffer.from('"\n')])
    assert.equal(values[0]?.[1]?.length, 40 * 1024 * 1024)
  })

  test('a file of blank lines has no header', async () => {
    assert.equal((await refusal('\n\n\n')).code, 'header_row_missing')
  })
})

describe('streaming', () => {
  test('however the bytes are cut, the table is the same', async () => {
    const text = '\ufeffid;náme;"te;xt"\r\n1;"a ""q"" \r\n;b";x\r\n;"";\r\n\r\n2;€𝄞;"\u00e9"\r\n3;;"last"'
    const bytes = Buffer.from(text)
    const whole = await readBytes([bytes])
    assert.deepEqual(whole.values, [
      ['1', 'a "q" \r\n;b', 'x'],
      [null, '', null],
      ['2', '€𝄞', 'é'],
      ['3', null, 'last'],
    ])
    for (let size = 1; size <= bytes.length; size += 1)
      assert.deepEqual(await readBytes(pieces(bytes, size)), whole, `chunks of ${size} bytes`)
  })

  test('a long file cut small is the same as in one piece', async () => {
    const lines = Array.from({ length: 9000 }, (_, row) => `${row},"li""ne\n${row}",é${row},`)
    const bytes = Buffer.from(`id,a,b,c\n${lines.join('\r\n')}\r\n`)
    const whole = await readBytes([bytes])
    assert.equal(whole.values.length, 9000)
    for (const size of [997, 4096, 65_537]) assert.deepEqual(await readBytes(pieces(bytes, size)), whole)
  })

  test('random tables written as CSV come back as they were', async () => {
    const field = fc.oneof(
      fc.constant(null),
      fc.constantFrom('', ' ', '"', '""', ',', ';', '\n', '\r\n', '\r', 'é', '𝄞', '\ufeff', '00123', 'x'),
      fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\0', '')),
    )
    const table = fc
      .integer({ min: 2, max: 6 })
      .chain((width) => fc.array(fc.array(field, { minLength: width, maxLength: width }), { maxLength: 30 }))
    await fc.assert(
      fc.asyncProperty(
        table,
        fc.constantFrom(',', ';', '\t', '|'),
        fc.constantFrom('\n', '\r\n', '\r'),
        fc.integer({ min: 1, max: 64 }),
        async (rows, delimiter, lineEnd, size) => {
          const names = Array.from({ length: rows[0]?.length ?? 2 }, (_, column) => `name ${column}`)
          const text = [names, ...rows].map((row) => row.map(naiveField).join(delimiter) + lineEnd).join('')
          const found = await readBytes(pieces(Buffer.from(text), size), { delimiter, headerRow: 1 })
          assert.deepEqual(found, { headers: names, values: rows })
        },
      ),
      { numRuns: 300 },
    )
  })

  test('batches have at most 1,000 rows', async () => {
    const table = await openText(`a\n${'x\n'.repeat(30_000)}`)
    let rows = 0
    for await (const batch of table.rows()) {
      assert.ok(batch.length <= 1000)
      rows += batch.length
    }
    assert.equal(rows, 30_000)
  })
})

function pieces(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, piece) => bytes.subarray(piece * size, (piece + 1) * size))
}

/** Quotes whatever might need it; null is the only thing written as nothing. */
function naiveField(value: string | null): string {
  if (value === null) return ''
  return /^[a-z0-9]+$/.test(value) ? value : `"${value.replaceAll('"', '""')}"`
}
