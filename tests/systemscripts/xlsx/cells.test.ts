import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { GridRow } from '../../../systemscripts/grid.ts'
import { book, cellsOf, columnOf, MAIN, rowsOf, valuesOf } from './packages.ts'

const sheet = (rows: string): string => `<sheetData>${rows}</sheetData>`
const text = (value: string): string => `<is><t>${value}</t></is>`

describe('texts', () => {
  test('shared strings: runs are joined, pronunciation is left out, blanks around a text stay', async (t) => {
    const strings =
      '<si><t>plain</t></si><si><t xml:space="preserve"> kept </t></si><si><t> too </t></si><si/><si><t/></si>' +
      '<si><r><rPr><b/><rFont val="Arial"/></rPr><t>東</t></r><r><t xml:space="preserve"> 京</t></r><rPh sb="0" eb="1"><t>ヒガシ</t></rPh><phoneticPr fontId="1"/></si>'
    const cells = [0, 1, 2, 3, 4, 5].map((index) => `<c t="s"><v>${index}</v></c><c><v>1</v></c>`).join('')
    assert.deepEqual(
      (await columnOf(t, cells, { strings })).filter((value) => value !== '1'),
      ['plain', ' kept ', ' too ', '東 京'],
    )
  })

  test('the escapes of Excel are decoded as Excel does, a zero character stays as written', async (t) => {
    const strings = '<si><t>a_x000D_\nb</t></si><si><t>_x005F_x000D_</t></si><si><t>_x0041_x_x00e9_</t></si><si><t>_x0000_ _x41_</t></si>'
    assert.deepEqual(
      await columnOf(t, '<c t="s"><v>0</v></c><c t="s"><v>1</v></c><c t="s"><v>2</v></c><c t="s"><v>3</v></c>', { strings }),
      ['a\r\nb', '_x000D_', 'Axé', '_x0000_ _x41_'],
    )
  })

  test('entities: the five named ones and numbers, and CDATA is taken as it is', async (t) => {
    const strings = '<si><t>a&amp;b&lt;c&gt;d&quot;e&apos;f&#10;g&#x1F600;h</t></si><si><t><![CDATA[<&amp;>]]> tail</t></si>'
    const inline = `<c t="inlineStr">${text('&amp;amp;')}</c>`
    assert.deepEqual(await columnOf(t, `<c t="s"><v>0</v></c><c t="s"><v>1</v></c>${inline}`, { strings }), [
      'a&b<c>d"e\'f\ng😀h',
      '<&amp;> tail',
      '&amp;',
    ])
  })

  test('inline strings of one run and of several, and texts of formulas', async (t) => {
    const cells =
      `<c t="inlineStr">${text('one')}</c><c t="inlineStr"><is><r><t>t</t></r><r><t xml:space="preserve">w </t></r><rPh sb="0" eb="1"><t>x</t></rPh><r><t>o</t></r></is></c>` +
      '<c t="str"><f>A1&amp;"&gt;"</f><v>three &amp; more</v></c><c t="str"><f t="shared" si="0"/><v> 4 </v></c><c t="inlineStr"><is><t xml:space="preserve"> 5 </t></is></c>'
    assert.deepEqual(await columnOf(t, cells), ['one', 'tw o', 'three & more', ' 4 ', ' 5 '])
  })

  test('line ends of the file are line feeds, as XML wants it', async (t) => {
    assert.deepEqual(await columnOf(t, `<c t="inlineStr">${text('a\r\nb\rc')}</c><c t="str"><v>d\r\ne</v></c>`), ['a\nb\nc', 'd\ne'])
  })

  test('texts that look like numbers, truth or nothing stay, empty ones are null', async (t) => {
    const written = ['00123', '1E5', 'TRUE', 'NA', '', '__proto__']
    const cells = written.map((value) => `<c t="str"><v>${value}</v></c><c t="b"><v>1</v></c>`).join('')
    assert.deepEqual(
      (await columnOf(t, cells)).filter((value) => value !== 'true'),
      ['00123', '1E5', 'TRUE', 'NA', '__proto__'],
    )
  })
})

describe('numbers, truth, errors, moments', () => {
  test('numbers are the shortest decimal that means the same', async (t) => {
    const written = [
      '1',
      '1.50',
      '-0',
      '-0.0',
      '0.5',
      '.5',
      '007',
      '1E3',
      '1.5e-7',
      '0.30000000000000004',
      '1.1000000000000001',
      '447.44970099999999999',
      '5.',
      '-12.25',
      ' 8 ',
      '+3',
      '0',
      '100',
      '10.0',
    ]
    assert.deepEqual(await columnOf(t, written.map((value) => `<c><v>${value}</v></c>`).join('')), [
      '1',
      '1.5',
      '0',
      '0',
      '0.5',
      '0.5',
      '7',
      '1000',
      '0.00000015',
      '0.30000000000000004',
      '1.1',
      '447.449701',
      '5',
      '-12.25',
      '8',
      '3',
      '0',
      '100',
      '10',
    ])
  })

  test('a whole number keeps all its digits, and what is no number stays as written', async (t) => {
    const written = ['12345678901234567890', '-9007199254740993', 'NaN', '1,5', '1e999', '0x10', '１２']
    assert.deepEqual(await columnOf(t, written.map((value) => `<c><v>${value}</v></c>`).join('')), written)
  })

  test('truth, errors, a formula without its value', async (t) => {
    const cells =
      '<c t="b"><v>1</v></c><c t="b"><v>0</v></c><c t="b"><v>true</v></c><c t="e"><v>#N/A</v></c><c t="e"><f>1/0</f><v>#DIV/0!</v></c><c><f>1+2</f><v>3</v></c>'
    assert.deepEqual(await columnOf(t, cells), ['true', 'false', 'true', '#N/A', '#DIV/0!', '3'])
    const nothing = sheet(
      '<row><c><f>1+2</f></c><c t="s"><f>x</f></c><c t="str"><f>x</f><v/></c><c><f>x</f><v></v></c><c/><c s="0"></c><c><v>1</v></c></row>',
    )
    assert.deepEqual(await valuesOf(t, book({ sheet: nothing })), [[null, null, null, null, null, null, '1']])
  })

  test('dates by their format, built in, of other countries, and stated', async (t) => {
    const styles =
      '<numFmts count="3"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd;@"/><numFmt numFmtId="165" formatCode="0 &quot;days&quot;"/><numFmt numFmtId="166" formatCode="[h]:mm"/></numFmts>' +
      `<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs>${[0, 14, 22, 27, 36, 57, 32, 45, 47, 164, 165, 166, 9, 71].map((id) => `<xf numFmtId="${id}"/>`).join('')}</cellXfs>` +
      '<dxfs><dxf><numFmt numFmtId="165" formatCode="yyyy"/></dxf></dxfs>'
    const serial = (style: number, value: number): string => `<c s="${style}"><v>${value}</v></c>`
    const cells = [
      ...[0, 1, 2, 3, 4, 5, 9, 10, 13].map((style) => serial(style, 45292)),
      serial(6, 0.5),
      serial(7, 0.5),
      serial(8, 0.500005787037037),
      serial(11, 1.5),
      serial(12, 0.12),
      serial(99, 45292),
    ]
    assert.deepEqual(await columnOf(t, cells.join(''), { styles }), [
      '45292',
      ...['2024-01-01', '2024-01-01', '2024-01-01', '2024-01-01', '2024-01-01', '2024-01-01', '45292', '2024-01-01'],
      ...['12:00:00', '12:00:00', '12:00:00.500', '36:00:00', '0.12', '45292'],
    ])
  })

  test('both epochs, and the day in 1900 that never was', async (t) => {
    const styles = '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>'
    const days = (...serials: number[]): string => serials.map((serial) => `<c s="1"><v>${serial}</v></c>`).join('')
    assert.deepEqual(await columnOf(t, days(1, 59, 60, 61), { styles }), ['1900-01-01', '1900-02-28', '1900-02-29', '1900-03-01'])
    for (const properties of ['date1904="1"', 'date1904="true"']) {
      assert.deepEqual(await columnOf(t, days(0, 43830), { styles, properties }), ['1904-01-01', '2024-01-01'])
    }
    assert.deepEqual(await columnOf(t, days(45292), { styles, properties: 'date1904="0"' }), ['2024-01-01'])
  })

  test('moments that are written as text (Strict)', async (t) => {
    const written = ['2024-01-01', '2024-01-01T00:00:00', '2024-01-01T12:30:00Z', '2024-01-01T12:30:00.250', '12:30', '12:30:05.1', 'soon']
    assert.deepEqual(await columnOf(t, written.map((value) => `<c t="d"><v>${value}</v></c>`).join(''), { isStrict: true }), [
      '2024-01-01',
      '2024-01-01',
      '2024-01-01 12:30:00',
      '2024-01-01 12:30:00.250',
      '12:30:00',
      '12:30:05.100',
      'soon',
    ])
  })

  test('a number in a format of zeros is a code', async (t) => {
    const styles =
      '<numFmts><numFmt numFmtId="170" formatCode="00000"/><numFmt numFmtId="171" formatCode="000\\-00\\-0000"/></numFmts><cellXfs><xf numFmtId="170"/><xf numFmtId="171"/></cellXfs>'
    assert.deepEqual(
      await columnOf(t, '<c s="0"><v>123</v></c><c s="1"><v>123456789</v></c><c s="0"><v>1234567</v></c><c s="0"><v>1.5</v></c>', {
        styles,
      }),
      ['00123', '123-45-6789', '1234567', '1.5'],
    )
  })
})

describe('rows', () => {
  test('cells and rows that do not say where they stand follow the one before', async (t) => {
    const rows =
      '<row><c><v>1</v></c><c/><c><v>3</v></c></row><row/><row><c r="B3"><v>2</v></c><c><v>3</v></c></row><row><c r="A9"><v>9</v></c></row><row r="12"><c><v>12</v></c></row>'
    assert.deepEqual(withoutTyped(await rowsOf(t, book({ sheet: sheet(rows) }))), [
      { line: 1, cells: ['1', null, '3'] },
      { line: 3, cells: [null, '2', '3'] },
      { line: 9, cells: ['9'] },
      { line: 12, cells: ['12'] },
    ])
  })

  test('a blank cell that says another row than it stands in is passed over', async (t) => {
    const rows = '<row r="3"><c r="A4"><v></v></c><c r="B3"><v>2</v></c></row>'
    assert.deepEqual(withoutTyped(await rowsOf(t, book({ sheet: sheet(rows) }))), [{ line: 3, cells: [null, '2'] }])
  })

  test('cells of a row in any order come out in theirs', async (t) => {
    assert.deepEqual(
      await valuesOf(t, book({ sheet: sheet('<row r="1"><c r="C1"><v>3</v></c><c r="A1"><v>1</v></c><c r="B1"><v>2</v></c></row>') })),
      [['1', '2', '3']],
    )
  })

  test('three cells in a sheet that says it is full take no more than three cells', async (t) => {
    const rows = '<row r="1"><c r="A1"><v>1</v></c><c r="XFD1"><v>2</v></c></row><row r="1048576"><c r="XFD1048576"><v>3</v></c></row>'
    const found = await rowsOf(t, book({ sheet: `<dimension ref="A1:XFD1048576"/>${sheet(rows)}` }))
    assert.deepEqual(
      found.map(({ line, cells }) => [line, cells.length, Object.keys(cells).length]),
      [
        [1, 16_384, 2],
        [1_048_576, 16_384, 1],
      ],
    )
  })

  test('hidden rows are marked, blank ones left out', async (t) => {
    const rows =
      '<row r="1" hidden="1"><c><v>1</v></c></row><row r="2" spans="1:3" ht="15" customHeight="1"><c><v>2</v></c></row><row r="3"><c s="1"/></row><row hidden="true" r="4"><c><v>4</v></c></row>'
    assert.deepEqual(withoutTyped(await rowsOf(t, book({ sheet: sheet(rows) }))), [
      { line: 1, cells: ['1'], isHidden: true },
      { line: 2, cells: ['2'] },
      { line: 4, cells: ['4'], isHidden: true },
    ])
  })

  test('what a number looks like is told for the first rows, where it differs', async (t) => {
    const styles = '<cellXfs><xf numFmtId="0"/><xf numFmtId="17"/><xf numFmtId="9"/></cellXfs>'
    const rows =
      '<row><c t="str"><v>x</v></c><c s="1"><v>45292</v></c><c s="2"><v>0.5</v></c></row><row><c><v>2024</v></c></row><row><c s="1"><v>45292</v></c></row>'
    assert.deepEqual(withoutTyped(await rowsOf(t, book({ sheet: sheet(rows), styles }), { shownUntilLine: 2 })), [
      { line: 1, cells: ['x', '2024-01-01', '0.5'], shown: ['x', 'Jan-24', '50%'] },
      { line: 2, cells: ['2024'] },
      { line: 3, cells: ['2024-01-01'] },
    ])
  })

  test('typed cells', async (t) => {
    const styles =
      '<numFmts><numFmt numFmtId="170" formatCode="00000"/></numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="20"/><xf numFmtId="46"/><xf numFmtId="170"/></cellXfs>'
    const cells =
      '<c><v>1.50</v></c><c s="1"><v>45292</v></c><c s="2"><v>0.5</v></c><c s="3"><v>1.5</v></c><c s="4"><v>7</v></c><c t="b"><v>0</v></c><c t="e"><v>#N/A</v></c><c t="str"><v>1</v></c><c t="d"><v>2024-01-01</v></c><c/><c t="inlineStr"><is><t>z</t></is></c>'
    const found = await cellsOf(t, book({ sheet: sheet(`<row r="7">${cells}</row>`), styles }))
    assert.deepEqual(
      found.map(({ type, value, text: loaded }) => [type, value, loaded]),
      [
        ['number', 1.5, '1.5'],
        ['date', '2024-01-01', '2024-01-01'],
        ['time', '12:00:00', '12:00:00'],
        ['duration', '36:00:00', '36:00:00'],
        ['number', 7, '00007'],
        ['boolean', false, 'false'],
        ['error', '#N/A', '#N/A'],
        ['text', '1', '1'],
        ['date', '2024-01-01', '2024-01-01'],
        ['text', 'z', 'z'],
      ],
    )
    assert.deepEqual([found.at(-1)?.sheet, found.at(-1)?.row, found.at(-1)?.column], ['Data', 7, 11])
  })
})

describe('XML as others write it', () => {
  const expected = [['1', 'two', 'three'], ['true']]

  test('prefixes on every name', async (t) => {
    const prefixed = `<x:worksheet xmlns:x="${MAIN}"><x:sheetData><x:row r="1"><x:c r="A1"><x:v>1</x:v></x:c><x:c r="B1" t="inlineStr"><x:is><x:t>two</x:t></x:is></x:c><x:c r="C1" t="s"><x:v>0</x:v></x:c></x:row><x:row r="2"><x:c r="A2" t="b"><x:v>1</x:v></x:c></x:row></x:sheetData></x:worksheet>`
    const strings = `<x:sst xmlns:x="${MAIN}" count="1"><x:si><x:t>three</x:t></x:si></x:sst>`
    const styles = `<x:styleSheet xmlns:x="${MAIN}"><x:cellXfs><x:xf numFmtId="0"/></x:cellXfs></x:styleSheet>`
    const parts = { 'xl/worksheets/sheet1.xml': prefixed, 'xl/sharedStrings.xml': strings, 'xl/styles.xml': styles }
    assert.deepEqual(await valuesOf(t, book({ parts })), expected)
  })

  test('comments, instructions, CDATA, single quotes, blanks in tags, unknown elements', async (t) => {
    const rows = `<?x y?><row  r='1' ><!-- <c> --><c r = 'A1' ><v><!-- 9 -->1</v ></c><c r="B1" t='str' xx:q="a>b"><v><![CDATA[two]]></v><extLst><ext><v>no</v></ext></extLst></c><z:q xmlns:z="z"><c><v>8</v></c></z:q><c t="s" cm="1" r="C1"><v>0</v></c></row >\n<row>\n <c t="b">\n <v>1</v>\n </c></row>`
    assert.deepEqual(await valuesOf(t, book({ sheet: sheet(rows), strings: '<!-- x --><si>\n<t>three</t>\n</si>' })), expected)
  })

  test('a byte order mark, UTF-16, and a declared code page', async (t) => {
    const xml = `<worksheet xmlns="${MAIN}"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>Žluťoučký 🐎</t></is></c></row></sheetData></worksheet>`
    const utf16 = Buffer.from(`\ufeff${xml}`, 'utf16le')
    const latin = `<?xml version="1.0" encoding="ISO-8859-1"?>${xml.replace('Žluťoučký 🐎', 'é')}`
    const written: [string | Buffer, string][] = [
      [`\ufeff<?xml version="1.0" encoding="UTF-8"?>${xml}`, 'Žluťoučký 🐎'],
      [utf16, 'Žluťoučký 🐎'],
      [Buffer.from(utf16).swap16(), 'Žluťoučký 🐎'],
      [Buffer.from(latin, 'latin1'), 'é'],
    ]
    for (const [part, value] of written)
      assert.deepEqual(await valuesOf(t, book({ parts: { 'xl/worksheets/sheet1.xml': part } })), [[value]])
  })
})

function withoutTyped(rows: GridRow[]): Omit<GridRow, 'typed'>[] {
  return rows.map(({ typed: _, ...row }) => row)
}
