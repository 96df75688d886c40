import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PermanentError } from '../../../systemscripts/errors.ts'
import { type DriftPolicy, decideDrift } from '../../../systemscripts/table-loader/drift.ts'

const names = { file: 'prices.csv', target: 'feeds.price' }

/** Strategies 1, 2 and 3 of the predecessor. */
const addNull: DriftPolicy = { onNewColumn: 'add', onMissingColumn: 'null' }
const ignoreNull: DriftPolicy = { onNewColumn: 'ignore', onMissingColumn: 'null' }
const ignoreFail: DriftPolicy = { onNewColumn: 'ignore', onMissingColumn: 'fail' }

function target(...fromFiles: string[]) {
  return { writable: fromFiles, fromFiles }
}

function codeOf(work: () => unknown): { code: string; message: string; detail: string | undefined } {
  try {
    work()
  } catch (error) {
    if (error instanceof PermanentError) return { code: error.code, message: error.message, detail: error.detail }
    throw error
  }
  return { code: 'none', message: '', detail: undefined }
}

test('a table that does not exist takes every column of the file', () => {
  assert.deepEqual(decideDrift(['a', 'b'], null, addNull, names), {
    loaded: [
      { index: 0, column: 'a' },
      { index: 1, column: 'b' },
    ],
    added: ['a', 'b'],
    extra: [],
    proposed: [],
    ignored: [],
    missing: [],
    renames: [],
  })
})

test('a table that does not exist and may not be made is refused', () => {
  assert.equal(codeOf(() => decideDrift(['a'], null, ignoreNull, names)).code, 'target_not_found')
})

test('with add a new column is added and loaded', () => {
  const drift = decideDrift(['a', 'new', 'b'], target('a', 'b'), addNull, names)
  assert.deepEqual(drift.added, ['new'])
  assert.deepEqual(
    drift.loaded.map(({ column }) => column),
    ['a', 'new', 'b'],
  )
})

test('with ignore a new column is left out, and the values of the others keep their places', () => {
  const drift = decideDrift(['new', 'a', 'b'], target('a', 'b'), ignoreNull, names)
  assert.deepEqual(drift.ignored, ['new'])
  assert.deepEqual(drift.loaded, [
    { index: 1, column: 'a' },
    { index: 2, column: 'b' },
  ])
})

test('with fail a new column is refused by name', () => {
  const { code, message } = codeOf(() => decideDrift(['a', 'new'], target('a'), { onNewColumn: 'fail', onMissingColumn: 'null' }, names))
  assert.equal(code, 'new_column')
  assert.match(message, /"new"/)
})

test('a missing column stays null, or is refused by name', () => {
  assert.deepEqual(decideDrift(['a'], target('a', 'b'), ignoreNull, names).missing, ['b'])
  const { code, message } = codeOf(() => decideDrift(['a'], target('a', 'b'), ignoreFail, names))
  assert.equal(code, 'missing_column')
  assert.match(message, /"b"/)
})

test('half of the columns are enough, fewer are another file, whatever the policy', () => {
  const four = target('a', 'b', 'c', 'd')
  assert.deepEqual(decideDrift(['a', 'b'], four, addNull, names).missing, ['c', 'd'])
  for (const policy of [addNull, ignoreNull, ignoreFail]) {
    const { code, detail } = codeOf(() => decideDrift(['a', 'x', 'y', 'z'], four, policy, names))
    assert.equal(code, 'header_not_recognised')
    assert.match(detail ?? '', /"x", "y", "z".*"a", "b", "c", "d"/)
  }
})

test('names match without regard to case only where no column is exactly so named', () => {
  assert.deepEqual(decideDrift(['Ticker', 'ticker'], target('ticker'), addNull, names), {
    loaded: [
      { index: 0, column: 'Ticker' },
      { index: 1, column: 'ticker' },
    ],
    added: ['Ticker'],
    extra: [],
    proposed: [],
    ignored: [],
    missing: [],
    renames: [],
  })
  assert.deepEqual(decideDrift(['company_name'], target('Company_Name'), ignoreNull, names).loaded, [{ index: 0, column: 'Company_Name' }])
})

test('columns that files do not fill count neither as missing nor for the half', () => {
  const drift = decideDrift(
    ['a', 'loaded_at'],
    { writable: ['a', 'loaded_at', 'source_file', 'event_date'], fromFiles: ['a'] },
    ignoreFail,
    names,
  )
  assert.deepEqual(drift.missing, [])
  assert.deepEqual(
    drift.loaded.map(({ column }) => column),
    ['a', 'loaded_at'],
  )
})

test('a file without a single column that the table takes is refused', () => {
  assert.equal(codeOf(() => decideDrift(['x'], { writable: ['note'], fromFiles: [] }, ignoreNull, names)).code, 'no_column_to_load')
})

test('with extra a new column is kept beside the others, with propose people decide, unless they have refused it', () => {
  const extra = decideDrift(['a', 'new'], target('a'), { onNewColumn: 'extra', onMissingColumn: 'null' }, names)
  assert.deepEqual([extra.loaded, extra.extra, extra.ignored], [[{ index: 0, column: 'a' }], ['new'], []])
  const propose: DriftPolicy = { onNewColumn: 'propose', onMissingColumn: 'null' }
  assert.deepEqual(decideDrift(['a', 'new'], target('a'), propose, names).proposed, ['new'])
  const refused = decideDrift(['a', 'new'], target('a'), propose, names, ['new'])
  assert.deepEqual([refused.proposed, refused.ignored], [[], ['new']])
})

test('a new and a missing column are said to be the same where their names are alike or their places are', () => {
  assert.deepEqual(decideDrift(['ticker', 'Mkt_Cap', 'x'], target('ticker', 'mktcap2', 'x'), addNull, names).renames, [
    { from: 'Mkt_Cap', to: 'mktcap2', reason: 'the names are much alike' },
  ])
  assert.deepEqual(decideDrift(['a', 'volume', 'c'], target('a', 'umsatz', 'c'), addNull, names).renames, [
    { from: 'volume', to: 'umsatz', reason: 'it stands at the same place' },
  ])
  assert.deepEqual(decideDrift(['a', 'c', 'volume'], target('a', 'umsatz', 'c'), addNull, names).renames, [])
})

test('a hundred thousand new columns are gone through once', { timeout: 10_000 }, () => {
  const columns = Array.from({ length: 100_000 }, (_, index) => `column_${index}`)
  const policy: DriftPolicy = { onNewColumn: 'extra', onMissingColumn: 'null' }
  const drift = decideDrift(columns, target('column_0'), policy, names)
  assert.equal(drift.extra.length, 99_999)
  assert.deepEqual(drift.ignored, [])
})
