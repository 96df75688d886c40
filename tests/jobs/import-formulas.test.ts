import assert from 'node:assert/strict'
import { test } from 'node:test'
import { book } from '../systemscripts/xlsx/packages.ts'
import { type ImportBench, importBench } from './import-harness.ts'

const text = (cell: string, value: string) => `<c r="${cell}" t="inlineStr"><is><t>${value}</t></is></c>`
const header = `<row r="1">${text('A1', 'id')}${text('B1', 'total')}</row>`

/** As writers leave it that do not calculate. */
const uncalculated = (rows: number) =>
  book({
    sheet: `<sheetData>${header}${Array.from(
      { length: rows },
      (_, row) => `<row r="${row + 2}"><c r="A${row + 2}"><v>${row}</v></c><c r="B${row + 2}"><f>A${row + 2}*2</f><v></v></c></row>`,
    ).join('')}</sheetData>`,
  })

const words = '3 formulas of column "total" hold no value, first in B2: open the workbook in a spreadsheet program and save it.'

const warnings = (bench: ImportBench) => bench.log.filter(({ level }) => level === 'warning').map(({ message }) => message)

for (const mode of ['append', 'upsert']) {
  test(`formulas without a value are said in the log and in the dataset's note (${mode})`, async (t) => {
    const bench = await importBench(t)
    await bench.configure({ load_mode: mode, ...(mode === 'upsert' ? { key_columns: ['id'] } : {}) })
    await bench.put('inbox/1.xlsx', uncalculated(3))
    await bench.run()
    assert.deepEqual(warnings(bench), [words])
    assert.deepEqual(await bench.query('select state, reason, rows_written::integer from dba.dataset'), [
      { state: 'active', reason: words, rows_written: 3 },
    ])
  })
}

test('a dry run says it as well', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.put('inbox/1.xlsx', uncalculated(3))
  const dba = await bench.as('rota_dba')
  const [asked] = await dba.query<{ id: number }>(`select dba.request_dry_run('prices', '1.xlsx') as id`)
  await bench.run({ args: { file: 'inbox/1.xlsx', dry_run: true, dryrun_id: asked?.id } })
  assert.deepEqual(await dba.query('select message from dba.dryrun'), [{ message: `The file would be loaded. ${words}` }])
})

test('where the rows are refused for want of the value, the reason says why it is wanting', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.query(
    `insert into dba.importcolumn (config_name, column_name, type, is_required) values ('prices', 'total', 'integer', true)`,
  )
  await bench.put('inbox/1.xlsx', uncalculated(3))
  await assert.rejects(bench.run(), (error: { detail?: string }) => error.detail?.endsWith(words) === true)
})

test('a sheet of nothing but such formulas is empty, and its dataset says why', async (t) => {
  const bench = await importBench(t)
  await bench.configure()
  await bench.put(
    'inbox/1.xlsx',
    book({ sheet: `<sheetData>${header}<row r="2"><c r="A2"><f>1+1</f></c><c r="B2"><f>2+2</f></c></row></sheetData>` }),
  )
  await bench.run()
  assert.deepEqual(await bench.query('select state, reason from dba.dataset'), [
    {
      state: 'empty',
      reason:
        'The file has column names and no rows. 1 formula of column "id" holds no value, in A2: open the workbook in a spreadsheet program and save it. 1 formula of column "total" holds no value, in B2: open the workbook in a spreadsheet program and save it.',
    },
  ])
})
