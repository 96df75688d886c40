import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ColumnSetting, columnRule, nameColumns } from '../../../systemscripts/table-loader/column-settings.ts'
import type { TargetColumn } from '../../../systemscripts/table-loader/target.ts'

function setting(columnName: string, rest: Partial<ColumnSetting> = {}): ColumnSetting {
  return {
    columnName,
    sourceName: null,
    type: 'text',
    format: null,
    isRequired: false,
    defaultValue: null,
    nullTokens: [],
    transform: null,
    ...rest,
  }
}

function column(type: string, rest: Partial<TargetColumn> = {}): TargetColumn {
  return {
    name: 'a',
    type,
    baseType: type,
    domain: null,
    isNotNull: false,
    hasDefault: false,
    isIdentity: false,
    isAlwaysNumbered: false,
    isGenerated: false,
    ...rest,
  }
}

function named(headers: string[], settings: ColumnSetting[], reserved: string[] = []): [number, string][] {
  return nameColumns(headers, settings, 'legacy', reserved).map(({ index, column: name }) => [index, name])
}

test('what is written of a header counts: exact, without blanks around, by pattern, by its name', () => {
  const settings = [
    setting('amount', { sourceName: 'Betrag' }),
    setting('day', { sourceName: 'Datum' }),
    setting('note', { sourceName: '/^Bem/' }),
    setting('code'),
  ]
  assert.deepEqual(named(['Betrag', ' Datum ', 'Bemerkung', 'Code', 'Rest'], settings), [
    [0, 'amount'],
    [1, 'day'],
    [2, 'note'],
    [3, 'code'],
    [4, 'rest'],
  ])
})

test('a header may become two columns', () => {
  assert.deepEqual(named(['Code'], [setting('code'), setting('raw', { sourceName: 'Code' })]), [
    [0, 'code'],
    [0, 'raw'],
  ])
})

test('a header named as a column that comes from elsewhere, or as one of ours, is numbered', () => {
  assert.deepEqual(named(['price', 'Px', 'dataset_id', 'dataset_id_2'], [setting('price', { sourceName: 'Px' })], ['dataset_id']), [
    [0, 'price_2'],
    [1, 'price'],
    [2, 'dataset_id_3'],
    [3, 'dataset_id_2'],
  ])
})

test('a column whose source is not there is met by its own name', () => {
  assert.deepEqual(named(['price'], [setting('price', { sourceName: 'Px' })]), [[0, 'price']])
})

test('text that nobody said anything of needs no rule; a typed or required column gets one', () => {
  assert.equal(columnRule('a', null, null, 'UTC'), null)
  assert.equal(columnRule('a', null, column('text'), 'UTC'), null)
  assert.equal(columnRule('a', null, column('character varying'), 'UTC'), null)
  assert.equal(columnRule('a', null, column('character varying(5)'), 'UTC')?.type, 'character varying(5)')
  assert.equal(columnRule('a', null, column('integer'), 'UTC')?.type, 'integer')
  assert.equal(columnRule('a', null, column('text', { isNotNull: true }), 'UTC')?.isRequired, true)
})

test('the type of the target counts, and the written one where the target takes any text', () => {
  assert.equal(columnRule('a', setting('a', { type: 'numeric' }), column('integer'), 'UTC')?.type, 'integer')
  assert.equal(columnRule('a', setting('a', { type: 'numeric' }), column('text'), 'UTC')?.type, 'numeric')
  assert.equal(columnRule('a', setting('a'), column('date'), 'UTC')?.type, 'date')
})
