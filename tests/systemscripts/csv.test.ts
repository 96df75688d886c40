import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type CsvOptions, readCsv, readCsvBytes } from '../../systemscripts/csv.ts'
import { PermanentError } from '../../systemscripts/errors.ts'
import { allRows, allValues, temporaryFile } from './test-files.ts'

type Values = (string | null)[][]

describe('fields', () => {
  test('an unquoted empty field is null and a quoted one is empty text', async () => {
    assert.deepEqual(await read('a,b,c\n,"",x\n'), { headers: ['a', 'b', 'c'], values: [[null, '', 'x']] })
  })

  test('delimiters, line ends and doubled quotes inside quotes are data', async () => {
    const { values } = await read('a,b\n"x,y","he said ""no""\r\nand left"\n')
    assert.deepEqual(values, [['x,y', 'he said "no"\r\nand left']])
  })

  test('a quote inside an unquoted field is a character like others', async () => {
    assert.deepEqual((await read('size,name\n5" pipe,O"Hara\n')).values, [['5" pipe', 'O"Hara']])
  })

  test('texts that look like numbers, truth or nothing stay as they are', async () => {
    const { values } = await read('a,b,c,d,e\n00123,1E5,TRUE,NA,  x \n')
    assert.deepEqual(values, [['00123', '1E5', 'TRUE', 'NA', '  x ']])
  })

  test('blanks between a closing quote and the delimiter are passed over', async () => {
    assert.deepEqual((await read('a,b\n"x" ,"y" \r\n')).values, [['x', 'y']])
  })
})

describe('lines', () => {
  test('CRLF, LF and CR each end a record, and the last record needs none', async () => {
    for (const end of ['\r\n', '\n', '\r']) {
      assert.deepEqual((await read(`a,b${end}1,2${end}3,4`)).values, [
        ['1', '2'],
        ['3', '4'],
      ])
    }
  })

  test('a carriage return alone is data where lines end otherwise', async () => {
    assert.deepEqual((await read('a,b\n1\r2,3\r\n')).values, [['1\r2', '3']])
  })

  test('a row knows the physical line on which it starts', async () => {
    const table = await readCsvBytes(bytesOf('a,b\n"1\n2\n3",x\n\n4,y\n'), 'f.csv')
    assert.deepEqual(
      (await allRows(table)).map((row) => row.line),
      [2, 6],
    )
  })

  test('lines with nothing on them are no rows, but a row of empty fields is one', async () => {
    assert.deepEqual((await read('a,b\n\n1,2\n,\n\r\n')).values, [
      ['1', '2'],
      [null, null],
    ])
  })
})

describe('ragged rows', () => {
  test('a row with fewer fields than names is filled with nulls', async () => {
    assert.deepEqual((await read('a,b,c\n1\n')).values, [['1', null, null]])
  })

  test('empty fields beyond the names are tolerated', async () => {
    assert.deepEqual((await read('a,b\n1,2,,""\n')).values, [['1', '2']])
  })

  test('a value beyond the names is refused with its line and both counts', async () => {
    const error = await refusal('a,b\n1,2\n1,2,3\n')
    assert.equal(error.code, 'row_has_too_many_fields')
    assert.match(error.message, /line 3/)
    assert.match(error.detail ?? '', /3 fields, the header 2/)
  })

  test('a delimiter at the end of every line makes no column', async () => {
    assert.deepEqual(await read('a,b,\n1,2,\n'), { headers: ['a', 'b'], values: [['1', '2']] })
  })

  test('a blank name over values stays a column', async () => {
    assert.deepEqual(await read('a,b,\n1,2,3\n'), { headers: ['a', 'b', ''], values: [['1', '2', '3']] })
  })
})

describe('delimiter', () => {
  test('comma, semicolon, tab and bar are told apart outside quotes', async () => {
    for (const delimiter of [',', ';', '\t', '|']) {
      const text = ['a', 'b', 'c']
        .join(delimiter)
        .concat('\n', ['"x,;\t|y"', '1,5', '"2;5"'].map((f) => (f === '1,5' ? '"1,5"' : f)).join(delimiter), '\n')
      assert.deepEqual(await read(text), { headers: ['a', 'b', 'c'], values: [['x,;\t|y', '1,5', '2;5']] })
    }
  })

  test('decimal commas do not make a semicolon file a comma file', async () => {
    assert.deepEqual((await read('day;value\n1.2.;1,5\n2.2.;2,5\n')).values, [
      ['1.2.', '1,5'],
      ['2.2.', '2,5'],
    ])
  })

  test('lists inside a column do not win over the delimiter', async () => {
    assert.deepEqual((await read('name,tags\nA,x;y;z\nB,p;q;r\n')).headers, ['name', 'tags'])
  })

  test('a file of one column needs no delimiter', async () => {
    assert.deepEqual(await read('name\nA\nB\n'), { headers: ['name'], values: [['A'], ['B']] })
  })

  test('what is stated is taken, also tab by its name', async () => {
    assert.deepEqual((await read('a^b\n1^2\n', { delimiter: '^' })).values, [['1', '2']])
    assert.deepEqual((await read('a\tb\n1,1\t2\n', { delimiter: 'tab' })).values, [['1,1', '2']])
    assert.deepEqual((await read('a\tb\n1,1\t2\n', { delimiter: '\\t' })).values, [['1,1', '2']])
    assert.deepEqual((await read("a,b\n'1,1',2\n", { quote: "'" })).values, [['1,1', '2']])
    assert.deepEqual((await read('a,b\n"1,2"\n', { quote: '' })).values, [['"1', '2"']])
  })

  test('the line sep=; decides and is no row', async () => {
    assert.deepEqual(await read('sep=;\na;b\n1;2\n'), { headers: ['a', 'b'], values: [['1', '2']] })
  })

  test('more than one character is refused', async () => {
    assert.equal((await refusal('a,b\n', { delimiter: '||' })).code, 'delimiter_not_one_character')
  })
})

describe('header', () => {
  test('a title above the table is passed over', async () => {
    const table = await readCsvBytes(bytesOf('Sales report\nexported,monday\n\nid,name,price\n1,A,2.5\n2,B,3\n'), 'f.csv')
    assert.deepEqual([table.headers, table.headerLine], [['id', 'name', 'price'], 4])
    assert.equal((await allRows(table)).length, 2)
  })

  test('a stated line is taken, whatever stands above', async () => {
    const table = await readCsvBytes(bytesOf('x,y\na,b\n1,2\n'), 'f.csv', { headerRow: 2 })
    assert.deepEqual([table.headers, table.headerLine, await allValues(table)], [['a', 'b'], 2, [['1', '2']]])
  })

  test('a stated line beyond the end is refused', async () => {
    assert.equal((await refusal('a,b\n1,2\n', { headerRow: 9 })).code, 'header_row_missing')
  })

  test('a stated line far down is found', async () => {
    const text = `${'note\n'.repeat(70_000)}a,b\n1,2\n`
    assert.deepEqual((await read(text, { headerRow: 70_001, delimiter: ',' })).values, [['1', '2']])
  })

  test('blank and duplicate names stay as they are', async () => {
    assert.deepEqual((await read('a,,a\n1,2,3\n')).headers, ['a', '', 'a'])
  })

  test('a header alone is a table without rows', async () => {
    assert.deepEqual(await read('a,b\n'), { headers: ['a', 'b'], values: [] })
  })
})

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

  test('bytes that are not UTF-8 are refused with their offset', async () => {
    const error = await bytesRefusal([Buffer.from('name,town\nA,Z\xfcrich\n', 'latin1')])
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
      assert.deepEqual(await readBytes(cut(bytes, size)), whole, `chunks of ${size} bytes`)
  })

  test('a long file cut small is the same as in one piece', async () => {
    const lines = Array.from({ length: 9000 }, (_, row) => `${row},"li""ne\n${row}",é${row},`)
    const bytes = Buffer.from(`id,a,b,c\n${lines.join('\r\n')}\r\n`)
    const whole = await readBytes([bytes])
    assert.equal(whole.values.length, 9000)
    for (const size of [997, 4096, 65_537]) assert.deepEqual(await readBytes(cut(bytes, size)), whole)
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
          const found = await readBytes(cut(Buffer.from(text), size), { delimiter, headerRow: 1 })
          assert.deepEqual(found, { headers: names, values: rows })
        },
      ),
      { numRuns: 300 },
    )
  })

  test('batches have at most 1,000 rows', async () => {
    const table = await readCsvBytes(bytesOf(`a\n${'x\n'.repeat(30_000)}`), 'f.csv')
    let rows = 0
    for await (const batch of table.rows) {
      assert.ok(batch.length <= 1000)
      rows += batch.length
    }
    assert.equal(rows, 30_000)
  })

  test('an abort ends the reading with its reason', async (t) => {
    const path = await temporaryFile(t, 'big.csv', `a,b\n${'some,text\n'.repeat(200_000)}`)
    const stop = new AbortController()
    const table = await readCsv(path, { signal: stop.signal })
    const reason = new Error('enough')
    await assert.rejects(async () => {
      for await (const _ of table.rows) stop.abort(reason)
    }, reason)
  })

  test('leaving the loop early and closing twice both free the file', async () => {
    let ended = 0
    async function* endless() {
      try {
        yield Buffer.from('a,b\n')
        for (;;) yield Buffer.from('1,2\n'.repeat(1000))
      } finally {
        ended += 1
      }
    }
    const left = await readCsvBytes(endless(), 'f.csv')
    for await (const _ of left.rows) break
    const unread = await readCsvBytes(endless(), 'f.csv')
    await unread.close()
    await unread.close()
    assert.equal(ended, 2)
  })
})

async function read(text: string, options: CsvOptions = {}): Promise<{ headers: string[]; values: Values }> {
  return readBytes([Buffer.from(text)], options)
}

async function readBytes(pieces: Iterable<Buffer>, options: CsvOptions = {}): Promise<{ headers: string[]; values: Values }> {
  const table = await readCsvBytes(asyncOf(pieces), 'file.csv', options)
  return { headers: table.headers, values: await allValues(table) }
}

async function refusal(text: string, options: CsvOptions = {}): Promise<PermanentError> {
  return bytesRefusal([Buffer.from(text)], options)
}

async function bytesRefusal(pieces: Iterable<Buffer>, options: CsvOptions = {}): Promise<PermanentError> {
  try {
    await readBytes(pieces, options)
  } catch (error) {
    if (error instanceof PermanentError) return error
    throw error
  }
  throw new Error('it was not refused')
}

function bytesOf(text: string): AsyncGenerator<Buffer> {
  return asyncOf([Buffer.from(text)])
}

async function* asyncOf(pieces: Iterable<Buffer>): AsyncGenerator<Buffer> {
  yield* pieces
}

function* cut(bytes: Buffer, size: number): Generator<Buffer> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size)
}

/** Quotes whatever might need it; null is the only thing written as nothing. */
function naiveField(value: string | null): string {
  if (value === null) return ''
  return /^[a-z0-9]+$/.test(value) ? value : `"${value.replaceAll('"', '""')}"`
}
