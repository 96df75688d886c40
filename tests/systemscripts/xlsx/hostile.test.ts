import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { book, bookParts, MAIN, packed, refusalOf, rowsOf, valuesOf } from './packages.ts'

const SHEET = 'xl/worksheets/sheet1.xml'
const rows = (count: number): string =>
  `<sheetData>${Array.from({ length: count }, (_, row) => `<row r="${row + 1}"><c r="A${row + 1}"><v>${row}</v></c></row>`).join('')}</sheetData>`
const root = (content: string): string => `<worksheet xmlns="${MAIN}">${content}</worksheet>`

describe('broken workbooks', () => {
  const broken: [string, string, RegExp][] = [
    ['a sheet that is cut off within a row', root(rows(3)).slice(0, 150), /cut off/],
    ['a sheet that is cut off behind its rows', root(rows(3)).replace('</worksheet>', ''), /cut off/],
    ['an empty part', '', /cut off/],
    ['another root', '<html><body/></html>', /"html" instead of "worksheet"/],
    [
      'a row behind a later one',
      root('<sheetData><row r="5"><c><v>1</v></c></row><row r="2"><c><v>1</v></c></row></sheetData>'),
      /row 2 stands behind row 5/,
    ],
    ['a row beyond the last', root('<sheetData><row r="1048577"><c><v>1</v></c></row></sheetData>'), /beyond the last row/],
    ['a column beyond the last', root('<sheetData><row r="1"><c r="XFE1"><v>1</v></c></row></sheetData>'), /the last is XFD/],
    ['a place that is none', root('<sheetData><row r="1"><c r="1A"><v>1</v></c></row></sheetData>'), /no place of a cell/],
    ['a cell of another row', root('<sheetData><row r="1"><c r="A2"><v>1</v></c></row></sheetData>'), /row 2 stands in row 1/],
    ['a text that is not in the table', root('<sheetData><row r="1"><c r="A1" t="s"><v>7</v></c></row></sheetData>'), /names text 7 of 0/],
    ['a text number that is none', root('<sheetData><row r="1"><c r="A1" t="s"><v>-1</v></c></row></sheetData>'), /names text -1 of 0/],
    ['tags that do not match', root('<sheetData><row r="1"><c r="A1"><v>1</f></c></row></sheetData>'), /"<\/f>" ends what was not begun/],
    [
      'an entity that nobody knows',
      root('<sheetData><row r="1"><c r="A1" t="str"><v>&nbsp;</v></c></row></sheetData>'),
      /"&nbsp;" is no character/,
    ],
    [
      'a character that XML has not',
      root('<sheetData><row r="1"><c r="A1" t="str"><v>&#0;</v></c></row></sheetData>'),
      /"&#0;" is no character/,
    ],
    ['a type that nobody knows', root('<sheetData><row r="1"><c r="A1" t="q"><v>1</v></c></row></sheetData>'), /unknown type "q"/],
  ]
  for (const [what, part, detail] of broken) {
    test(`${what} is refused`, async (t) => {
      const error = await refusalOf(t, book({ parts: { [SHEET]: part } }))
      assert.deepEqual([error.code, error.message], ['workbook_broken', 'Workbook "book.xlsx" is broken or cut off'])
      assert.match(error.detail ?? '', detail)
    })
  }

  test('bytes that are no UTF-8 are refused, not replaced', async (t) => {
    const part = Buffer.from(root('<sheetData><row r="1"><c r="A1" t="str"><v>a?b</v></c></row></sheetData>'))
    part[part.indexOf('?')] = 0xe9
    assert.match((await refusalOf(t, book({ parts: { [SHEET]: part } }))).detail ?? '', /no UTF-8/)
  })

  test('a document type is refused wherever it stands: no laughter, nothing fetched', async (t) => {
    const laughter = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>'
    const cell = '<sheetData><row r="1"><c r="A1" t="str"><v>&b;</v></c></row></sheetData>'
    const parts = bookParts({ sheet: cell })
    for (const name of [SHEET, 'xl/workbook.xml', 'xl/_rels/workbook.xml.rels', '_rels/.rels']) {
      const error = await refusalOf(t, packed({ ...parts, [name]: `${laughter}${parts[name]}` }))
      assert.deepEqual([error.code, /DOCTYPE/.test(error.detail ?? '')], ['workbook_broken', true], name)
    }
    assert.match((await refusalOf(t, book({ sheet: rows(1), strings: `${laughter}<sst xmlns="${MAIN}"/>` }))).detail ?? '', /DOCTYPE/)
  })

  test('a part that is not what its checksum or length says is refused, also when it is well-formed', async (t) => {
    const parts = bookParts({ sheet: rows(5) })
    for (const name of [SHEET, 'xl/workbook.xml']) {
      for (const lie of [{ crc: 1 }, { unpackedBytes: 10 }, { unpackedBytes: 100_000 }]) {
        assert.match((await refusalOf(t, packed(parts, { [name]: lie }))).detail ?? '', /fails its checksum/)
      }
    }
  })

  test('parts that are locked, packed otherwise, or missing are said so', async (t) => {
    const parts = bookParts({ sheet: rows(5) })
    assert.equal((await refusalOf(t, packed(parts, { [SHEET]: { isEncrypted: true } }))).code, 'workbook_encrypted')
    assert.match((await refusalOf(t, packed(parts, { [SHEET]: { method: 12 } }))).detail ?? '', /packed by method 12/)
    const { [SHEET]: _, ...without } = parts
    assert.match((await refusalOf(t, packed(without))).detail ?? '', /part of sheet "Data" is missing/)
    assert.match((await refusalOf(t, packed({ 'a.xml': 'x' }))).detail ?? '', /no workbook part/)
    assert.match((await refusalOf(t, Buffer.from('no zip'))).detail ?? '', /table of contents/)
  })
})

describe('bombs', () => {
  test('more than is allowed in all is refused before anything is unpacked', async (t) => {
    const error = await refusalOf(t, book({ sheet: rows(3000) }), { maxUnpackedBytes: 50_000 })
    assert.equal(error.code, 'workbook_too_large')
    assert.match(error.detail ?? '', /allowed are 50000/)
  })

  test('a large part that is packed too tightly is refused', async (t) => {
    const error = await refusalOf(t, book({ sheet: `${' '.repeat(101 * 1024 * 1024)}<sheetData/>` }))
    assert.equal(error.code, 'workbook_too_large')
    assert.match(error.detail ?? '', /unpacks to/)
  })

  test('a part that holds more than the directory says is not unpacked further', async (t) => {
    const parts = bookParts({ sheet: `${' '.repeat(90 * 1024 * 1024)}<sheetData/>` })
    assert.match((await refusalOf(t, packed(parts, { [SHEET]: { unpackedBytes: 500 } }))).detail ?? '', /checksum/)
  })

  test('a cell of more than 64 MB is refused in time proportional to it', async (t) => {
    // Digits that do not repeat, so that it is not refused for how it is packed.
    const noise = Buffer.alloc(70 * 1024 * 1024)
    for (let at = 0, seed = 1; at < noise.length; at += 1) {
      seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff
      noise[at] = 0x61 + ((seed >> 16) % 26)
    }
    const error = await refusalOf(t, book({ sheet: `<sheetData><row><c t="str"><v>${noise.toString('latin1')}</v></c></row></sheetData>` }))
    assert.equal(error.code, 'workbook_too_large')
    assert.match(error.detail ?? '', /larger than 67108864 bytes/)
  })

  test('deeply nested elements are read without recursion', async (t) => {
    const deep = '<a>'.repeat(200_000) + '</a>'.repeat(200_000)
    assert.deepEqual(await valuesOf(t, book({ sheet: `<sheetData><row>${deep}<c><v>1</v></c></row></sheetData>` })), [['1']])
  })

  test('one long text named by every cell takes its memory once', async (t) => {
    const cells = '<row><c t="s"><v>0</v></c></row>'.repeat(5000)
    const long = 'x'.repeat(1_000_000)
    const found = await rowsOf(t, book({ sheet: `<sheetData>${cells}</sheetData>`, strings: `<si><t>${long}</t></si>` }))
    assert.deepEqual([found.length, found.every(({ cells: [value] }) => value === long)], [5000, true])
  })
})
