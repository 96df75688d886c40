import assert from 'node:assert/strict'
import { test } from 'node:test'
import { book, rowsOf } from './packages.ts'

test('a row says which of its cells are numbers, dates and truth values', async (t) => {
  const styles = '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>'
  const rows =
    '<row><c><v>1</v></c><c s="1"><v>45292</v></c><c t="b"><v>1</v></c><c t="d"><v>2024-01-01</v></c><c><v>1E2</v></c></row><row><c t="str"><v>1</v></c><c t="inlineStr"><is><t>2</t></is></c><c t="e"><v>#N/A</v></c><c><v>no number</v></c><c t="s"><v>0</v></c><c t="d"><v>soon</v></c></row>'
  const found = await rowsOf(t, book({ sheet: `<sheetData>${rows}</sheetData>`, styles, strings: '<si><t>3</t></si>' }))
  assert.deepEqual(
    found.map(({ typed }) => typed),
    [Array(5).fill(true), Array(6).fill(false)],
  )
})
