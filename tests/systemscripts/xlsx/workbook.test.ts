import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as XLSX from 'xlsx'
import { fileKind } from '../../../systemscripts/file-kind.ts'
import { openXlsx } from '../../../systemscripts/spreadsheet/xlsx/open-xlsx.ts'
import { temporaryFile } from '../test-files.ts'
import { book, bookParts, MAIN, packed, refusalOf, relationsPart, rowsOf, valuesOf } from './packages.ts'

const RELATIONS = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
const sheetOf = (value: string): string =>
  `<worksheet xmlns="${MAIN}"><sheetData><row r="1"><c r="A1" t="str"><v>${value}</v></c></row></sheetData></worksheet>`

describe('parts of a workbook', () => {
  test('sheets are in the order of the tabs, wherever their parts lie, hidden ones are told', async (t) => {
    const workbook = `<workbook xmlns="${MAIN}" xmlns:q="${RELATIONS}"><sheets><sheet name="Zürich &amp; Söhne" sheetId="9" q:id="c"/><sheet name="Hidden" sheetId="3" state="hidden" q:id="a"/><sheet name="Very" sheetId="1" state="veryHidden" q:id="b"/></sheets></workbook>`
    const relation = (id: string, target: string): string => `<Relationship Id="${id}" Type="${RELATIONS}/worksheet" Target="${target}"/>`
    const bytes = packed({
      '_rels/.rels': relationsPart(`<Relationship Id="x" Type="${RELATIONS}/officeDocument" Target="/main/book.xml"/>`),
      'main/book.xml': workbook,
      'main/_rels/book.xml.rels': relationsPart(
        relation('a', '/far/away.xml') + relation('b', '../odd%20name.xml') + relation('c', './Inside/S.XML'),
      ),
      'far/away.xml': sheetOf('a'),
      'odd name.xml': sheetOf('b'),
      'main/inside/s.xml': sheetOf('c'),
    })
    const opened = await openXlsx(await temporaryFile(t, 'book.xlsx', bytes))
    assert.deepEqual(opened.sheets, [
      { name: 'Zürich & Söhne', isHidden: false, hasCells: true },
      { name: 'Hidden', isHidden: true, hasCells: true },
      { name: 'Very', isHidden: true, hasCells: true },
    ])
    const values: (string | null | undefined)[] = []
    for (const index of [0, 1, 2, 0]) for await (const rows of opened.readSheet(index)) values.push(rows[0]?.cells[0])
    assert.deepEqual(values, ['c', 'a', 'b', 'c'])
    await opened.close()
  })

  test('names of parts may be written in capitals, with backslashes, or from the root', async (t) => {
    const parts = bookParts({ strings: '<si><t>x</t></si>', sheet: '<sheetData><row><c t="s"><v>0</v></c></row></sheetData>' })
    const ways = [
      (name: string) => name.toUpperCase(),
      (name: string) => `/${name}`,
      (name: string) => `./${name}`,
      (name: string) => name.replaceAll('/', '\\'),
    ]
    for (const way of ways) {
      const bytes = packed(Object.fromEntries(Object.entries(parts).map(([name, part]) => [way(name), part])))
      assert.deepEqual(await valuesOf(t, bytes), [['x']])
      assert.equal(await fileKind(await temporaryFile(t, 'book.zip', bytes)), 'xlsx')
    }
  })

  test('a Strict workbook reads as any other', async (t) => {
    const bytes = book({ isStrict: true, strings: '<si><t>x</t></si>', sheet: '<sheetData><row><c t="s"><v>0</v></c></row></sheetData>' })
    assert.deepEqual(await valuesOf(t, bytes), [['x']])
  })

  test('charts and macro sheets are tabs that hold no table', async (t) => {
    const parts = bookParts({ sheet: '<sheetData/>' })
    const workbook = `<workbook xmlns="${MAIN}" xmlns:r="${RELATIONS}"><sheets><sheet name="Chart" sheetId="1" r:id="r4"/><sheet name="Macro" sheetId="2" r:id="r5"/><sheet name="Data" sheetId="3" r:id="r1"/><sheet name="Module1" sheetId="4" r:id=""/></sheets></workbook>`
    const relation = (id: string, type: string, target: string): string => `<Relationship Id="${id}" Type="${type}" Target="${target}"/>`
    const more =
      relation('r4', `${RELATIONS}/chartsheet`, 'chartsheets/sheet1.xml') +
      relation('r5', 'http://schemas.microsoft.com/office/2006/relationships/xlMacrosheet', 'macrosheets/sheet1.xml')
    const rels = String(parts['xl/_rels/workbook.xml.rels']).replace('</Relationships>', `${more}</Relationships>`)
    const bytes = packed({
      ...parts,
      'xl/workbook.xml': workbook,
      'xl/_rels/workbook.xml.rels': rels,
      'xl/chartsheets/sheet1.xml': '<chartsheet/>',
    })
    const error = await refusalOf(t, bytes, { index: 0 })
    assert.deepEqual([error.code, error.message], ['sheet_without_cells', 'Sheet "Chart" is no worksheet'])
    assert.match((await refusalOf(t, bytes, { index: 1 })).detail ?? '', /xlMacrosheet/)
    assert.deepEqual(await rowsOf(t, bytes, { index: 2 }), [])
    assert.match((await refusalOf(t, bytes, { index: 3 })).detail ?? '', /module/)
    assert.equal((await refusalOf(t, bytes, { index: 4 })).code, 'sheet_not_found')
  })

  test('strings and styles are found where their relation was forgotten', async (t) => {
    const parts = bookParts({
      strings: '<si><t>x</t></si>',
      styles: '<cellXfs><xf numFmtId="14"/></cellXfs>',
      sheet: '<sheetData><row><c t="s"><v>0</v></c><c><v>1</v></c></row></sheetData>',
    })
    const relation = `<Relationship Id="r1" Type="${RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/>`
    assert.deepEqual(await valuesOf(t, packed({ ...parts, 'xl/_rels/workbook.xml.rels': relationsPart(relation) })), [['x', '1900-01-01']])
  })

  test('a workbook with macros, as SheetJS writes it', async (t) => {
    const made = XLSX.utils.book_new()
    XLSX.utils.book_append_sheet(made, XLSX.utils.aoa_to_sheet([['a', 1]]), 'S')
    assert.deepEqual(await valuesOf(t, Buffer.from(XLSX.write(made, { type: 'buffer', bookType: 'xlsm', compression: true }))), [
      ['a', '1'],
    ])
  })

  test('rows come in batches of at most a thousand, and reading may end early', async (t) => {
    const rows = Array.from({ length: 2500 }, (_, index) => `<row r="${index + 1}"><c r="A${index + 1}"><v>${index}</v></c></row>`).join('')
    const opened = await openXlsx(await temporaryFile(t, 'book.xlsx', book({ sheet: `<sheetData>${rows}</sheetData>` })))
    const batches: number[] = []
    for await (const batch of opened.readSheet(0)) batches.push(batch.length)
    assert.equal(
      batches.reduce((sum, length) => sum + length),
      2500,
    )
    assert.ok(Math.max(...batches) <= 1000)
    for await (const _ of opened.readSheet(0)) break
    await opened.close()
  })

  test('is called in messages as it is said to be called', async (t) => {
    const path = await temporaryFile(t, 'member.tmp', book({ sheet: '<sheetData><row><c t="zz"><v>1</v></c></row></sheetData>' }))
    const opened = await openXlsx(path, { fileName: 'prices.xlsx in march.zip' })
    await assert.rejects(
      async () => {
        for await (const _ of opened.readSheet(0));
      },
      { code: 'workbook_broken', message: /prices\.xlsx in march\.zip/ },
    )
    await opened.close()
  })

  test('reading ends when the signal says so', async (t) => {
    const aborting = new AbortController()
    const path = await temporaryFile(t, 'book.xlsx', book({ sheet: '<sheetData><row><c><v>1</v></c></row></sheetData>' }))
    const opened = await openXlsx(path, { signal: aborting.signal })
    aborting.abort(new Error('enough'))
    await assert.rejects(async () => {
      for await (const _ of opened.readSheet(0));
    }, /enough/)
    await opened.close()
  })
})
