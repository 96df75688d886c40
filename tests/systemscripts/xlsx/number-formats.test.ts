import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SSF } from 'xlsx'
import { numberKind, numberText } from '../../../systemscripts/spreadsheet/cell-values.ts'
import { builtInFormat } from '../../../systemscripts/spreadsheet/xlsx/number-formats.ts'

const MOMENTS = [
  'm/d/yy',
  'd-mmm',
  'h:mm AM/PM',
  'm/d/yy h:mm',
  'mmss.0',
  'ss.000',
  '[h]:mm:ss',
  '[mm]:ss',
  '[$-F800]dddd, mmmm dd, yyyy',
  '[$-409]h:mm AM/PM;@',
  '[$-404]e/m/d',
  'yyyy"年"m"月"',
  'b1yyyy',
  'ge.m.d',
  'dd\\.mm\\.yyyy',
  '""d\\-mmm\\-yy',
  '"上午/下午 "hh"時"mm"分"',
  '[Red]yyyy;@',
]
const NUMBERS = [
  'General',
  '0.00',
  '#,##0',
  '0%',
  '0.00E+00',
  '# ?/?',
  '#,##0.00;[Red](#,##0.00)',
  '@',
  '_(* #,##0.00_);_(* \\(#,##0.00\\);_(* "-"??_);_(@_)',
  '[Red]General',
  '0 "days"',
  '#,##0.00 [$USD]',
  '[<=9999999]###-####;(###) ###-####',
  ';;;',
  '0\\ \\k\\g',
  '[$€-2] #,##0',
  '"d"0',
  '*d0',
]

test('formats of days and times are told from those of numbers, as SheetJS tells them', () => {
  const isMoment = (format: string): boolean => ['date', 'time', 'duration'].includes(numberKind(format))
  for (const format of MOMENTS) assert.deepEqual([isMoment(format), SSF.is_date(format)], [true, true], format)
  for (const format of NUMBERS) assert.equal(isMoment(format), false, format)
})

test('a unit without quotes makes no date of a number', () => {
  assert.deepEqual(['0 kg', '#,##0 m', '0.0 h'].map(numberKind), ['number', 'number', 'number'])
})

test('General is no date in the language of any program', () => {
  for (const format of ['G/通用格式', '[Red]G/標準', 'G/표준', 'G/通用格式"d"']) assert.equal(numberKind(format), 'number', format)
  assert.equal(numberKind('ggge"年"m"月"d"日"'), 'date')
})

test('kinds of the formats that have numbers only', () => {
  const kinds = (...ids: number[]): string[] => ids.map((id) => numberKind(builtInFormat(id)))
  assert.deepEqual([...new Set(kinds(14, 15, 16, 17, 22, 27, 31, 36, 50, 58, 71, 77, 81))], ['date'])
  assert.deepEqual([...new Set(kinds(18, 19, 20, 21, 32, 33, 45, 47, 75, 76, 78, 80))], ['time'])
  assert.deepEqual(kinds(46, 79), ['duration', 'duration'])
  assert.deepEqual([...new Set(kinds(0, 1, 4, 9, 11, 12, 37, 44, 48, 49, 59, 70, 163))], ['number'])
})

test('codes are shown as SheetJS shows them', () => {
  for (const format of ['00000', '00', '000\\-00\\-0000', '0000 0000']) {
    for (const value of [0, 7, 123, 12_345, 123_456_789]) {
      assert.equal(numberText(value, 'code', format, false), SSF.format(format, value), `${format} ${value}`)
    }
  }
})
