import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RefusedValue } from '../../../systemscripts/values/refused-value.ts'
import { createConversion } from '../../../systemscripts/values.ts'
import { converted, rule } from './rules.ts'

const warsaw = 'Europe/Warsaw'

const cases: [type: string, format: string | null, text: string, becomes: string, zone?: string][] = [
  ['date', null, '2024-02-29', '2024-02-29'],
  ['date', null, '2023-02-29', '<no_such_day>'],
  ['date', null, '1900-02-29', '<no_such_day>'],
  ['date', null, '0000-01-01', '<no_such_day>'],
  ['date', null, '2024-3-4', '<not_a_date>'],
  ['date', null, '20240304', '<not_a_date>'],
  ['date', null, '03/04/2024', '<ambiguous_date>'],
  ['date', null, '13/04/2024', '<not_a_date>'],
  ['date', null, 'today', '<not_a_date>'],
  ['date', null, '45000', '<not_a_date>'],
  ['date', null, '2024-03-04 00:00:00', '2024-03-04'],
  ['date', null, '2024-03-04 10:00:00', '<has_time>'],
  ['date', null, 'infinity', 'infinity'],
  ['date', 'yyyy-MM-dd HH:mm', '2024-03-04 10:00', '2024-03-04'],
  ['date', 'dd.MM.yyyy', '04.03.2024', '2024-03-04'],
  ['date', 'dd.MM.yyyy', '4.3.2024', '<not_a_date>'],
  ['date', 'd.M.yyyy', '4.3.2024', '2024-03-04'],
  ['date', 'dd.MM.yyyy', '2024-03-04', '<not_a_date>'],
  ['date', 'dd.MM.yyyy', '31.04.2024', '<no_such_day>'],
  ['date', 'dd/MM/yyyy | MM/dd/yyyy', '04/13/2024', '2024-04-13'],
  ['date', 'd/M/yy', '1/1/69', '2069-01-01'],
  ['date', 'd/M/yy', '1/1/70', '1970-01-01'],
  ['date', 'd. MMMM@de yyyy', '3. März 2024', '2024-03-03'],
  ['date', 'd. MMMM@de yyyy', '3. Maerz 2024', '<not_a_date>'],
  ['date', 'dd-MMM@de-yy', '03-Mrz-24', '2024-03-03'],
  ['date', 'd MMM@fr yyyy', '3 févr. 2024', '2024-02-03'],
  ['date', 'd MMMM@fr yyyy', '3 AOUT 2024', '2024-08-03'],
  ['date', "d 'de' MMMM@es 'de' yyyy", '3 de marzo de 2024', '2024-03-03'],
  ['date', 'd MMMM@pl yyyy', '3 marca 2024', '2024-03-03'],
  ['date', 'd MMMM@it yyyy', '3 Marzo 2024', '2024-03-03'],
  ['date', 'MMM d, yyyy', 'Sept. 1, 2024', '2024-09-01'],
  ['date', 'd MMM yyyy', '3 Xyz 2024', '<not_a_date>'],
  ['date', 'EEE d MMM yyyy', 'Mon 4 Mar 2024', '2024-03-04'],
  ['date', 'EEE d MMM yyyy', 'Tue 4 Mar 2024', '<no_such_day>'],
  ['date', 'EEEE d MMMM@pt yyyy', 'segunda-feira 4 março 2024', '2024-03-04'],
  ['timestamp without time zone', null, '2024-03-04', '2024-03-04 00:00:00'],
  ['timestamp without time zone', null, '2024-03-04T05:06', '2024-03-04 05:06:00'],
  ['timestamp without time zone', null, '2024-03-04 05:06:07.120', '2024-03-04 05:06:07.12'],
  ['timestamp without time zone', null, '2024-03-04 05:06:07,123', '2024-03-04 05:06:07.123'],
  ['timestamp without time zone', null, '2024-03-04 05:06:07.123456000', '2024-03-04 05:06:07.123456'],
  ['timestamp without time zone', null, '2024-03-04 05:06:07.123456789', '<too_many_decimals>'],
  ['timestamp without time zone', 'round', '2024-03-04 05:06:07.123456789', '2024-03-04 05:06:07.123456789'],
  ['timestamp(0) without time zone', null, '2024-03-04 05:06:07.5', '<too_many_decimals>'],
  ['timestamp without time zone', null, '2024-03-04 24:00:00', '<no_such_time>'],
  ['timestamp without time zone', null, '2024-03-04 05:06:60', '<no_such_time>'],
  ['timestamp without time zone', null, '2024-03-04T05:06:07Z', '2024-03-04 05:06:07'],
  ['timestamp without time zone', null, '2024-12-31T23:30:00Z', '2025-01-01 00:30:00', warsaw],
  ['timestamp without time zone', null, '0001-01-01T00:00:00+02', '<no_such_day>'],
  ['timestamp without time zone', 'M/d/yyyy h:mm a', '3/4/2024 12:05 AM', '2024-03-04 00:05:00'],
  ['timestamp without time zone', 'M/d/yyyy h:mm a', '3/4/2024 12:05\u202fp.m.', '2024-03-04 12:05:00'],
  ['timestamp without time zone', 'M/d/yyyy h:mm a', '3/4/2024 13:05 PM', '<no_such_time>'],
  ['timestamptz', null, '2024-03-04 05:06:07 UTC', '2024-03-04 05:06:07+00', warsaw],
  ['timestamptz', null, '2024-03-04 05:06:07+0530', '2024-03-04 05:06:07+05:30'],
  ['timestamptz', null, '2024-03-04 05:06:07-16:00', '<no_such_time>'],
  ['timestamptz', null, '2024-03-04 05:06:07 CET', '<not_a_date>'],
  ['timestamptz', null, '2024-01-04 05:06', '2024-01-04 05:06:00+01', warsaw],
  ['timestamptz', null, '2024-07-04 05:06', '2024-07-04 05:06:00+02', warsaw],
  ['timestamptz', 'yyyyMMddTHHmmssXXX', '20240304T050607Z', '2024-03-04 05:06:07+00', warsaw],
  ['timestamptz', 'yyyyMMddTHHmmssZ', '20240304T050607Z', '2024-03-04 05:06:07+00', warsaw],
  ['timestamptz', null, '1880-01-01 00:00:00', '1880-01-01 00:00:00+01:24', warsaw],
  ['time without time zone', null, '05:06', '05:06:00'],
  ['time without time zone', null, '26:30', '<no_such_time>'],
  ['time without time zone', null, '05:06:07+01', '<not_a_time>'],
  ['time without time zone', 'h:mm a', '5:06 pm', '17:06:00'],
  ['interval', null, '26:30:00', '26:30:00'],
  ['interval', null, '-0:05', '-0:05'],
  ['interval', null, '2h30m', '2 hour 30 minute'],
  ['interval', null, '1 day 02:03:04', '1 day 02:03:04'],
  ['interval', null, 'P1DT2H', 'P1DT2H'],
  ['interval', null, '5', '<not_an_interval>'],
  ['interval', null, '5 minutes ago', '<not_an_interval>'],
  ['interval', null, '1:75', '<not_an_interval>'],
  ['interval', 'mm:ss', '90:30', '01:30:30'],
  ['interval', 'mm:ss.SSS', '1:30.5', '00:01:30.5'],
]

for (const [type, format, text, becomes, sourceZone = 'UTC'] of cases) {
  test(`"${text}" as ${type}${format === null ? '' : ` of the form ${format}`} in ${sourceZone}: ${becomes}`, () => {
    assert.equal(converted(text, rule(type, { format, sourceZone })), becomes)
  })
}

test('a time that the clocks skip is moved forward by what they skip', () => {
  assert.equal(converted('2024-03-31 01:59:59', rule('timestamptz', { sourceZone: warsaw })), '2024-03-31 01:59:59+01')
  // 02:30+01 is 03:30+02.
  assert.equal(converted('2024-03-31 02:30:00', rule('timestamptz', { sourceZone: warsaw })), '2024-03-31 02:30:00+01')
  assert.equal(converted('2024-03-31 03:00:00', rule('timestamptz', { sourceZone: warsaw })), '2024-03-31 03:00:00+02')
})

test('a time that comes twice is the first', () => {
  assert.equal(converted('2024-10-27 02:00:00', rule('timestamptz', { sourceZone: warsaw })), '2024-10-27 02:00:00+02')
  assert.equal(converted('2024-10-27 02:59:59', rule('timestamptz', { sourceZone: warsaw })), '2024-10-27 02:59:59+02')
  assert.equal(converted('2024-10-27 03:00:00', rule('timestamptz', { sourceZone: warsaw })), '2024-10-27 03:00:00+01')
  assert.equal(converted('2024-04-07 01:45:00', rule('timestamptz', { sourceZone: 'Australia/Lord_Howe' })), '2024-04-07 01:45:00+11')
})

test('a day that a zone never had is moved like any other skipped time', () => {
  assert.equal(converted('2011-12-30 12:00:00', rule('timestamptz', { sourceZone: 'Pacific/Apia' })), '2011-12-30 12:00:00-10')
})

test('a cell of a date is taken as it is, whatever the format says of texts', () => {
  const day = rule('date', { format: 'dd/MM/yyyy' })
  assert.equal(converted('2024-03-04', day, 'typed'), '2024-03-04')
  assert.equal(converted('2024-03-04', rule('date', { format: 'yyyy-dd-MM' }), 'typed'), '2024-03-04')
  assert.equal(converted('05:06:07', rule('time', { format: 'h:mm a' }), 'typed'), '05:06:07')
  assert.equal(converted('00:26:30', rule('interval', { format: 'mm:ss:SSS' }), 'typed'), '00:26:30')
})

test('a cell of a number is a day where the format says how', () => {
  assert.equal(converted('20240304', rule('date', { format: 'yyyyMMdd' }), 'typed'), '2024-03-04')
  assert.equal(converted('45355', rule('date', { format: 'dd/MM/yyyy' }), 'typed'), '<not_a_date>')
})

test('a text beside cells of dates is read by the format alone', () => {
  assert.equal(converted('04/03/2024', rule('date', { format: 'dd/MM/yyyy' })), '2024-03-04')
  assert.equal(converted('2024-03-04', rule('date', { format: 'dd/MM/yyyy' })), '<not_a_date>')
  assert.equal(converted('2024-03-04', rule('date', { format: 'yyyy-dd-MM' })), '2024-04-03')
  assert.equal(converted('2024-03-04', rule('date', { format: 'yyyy-dd-MM' }), 'unknown'), '<ambiguous_date>')
})

test('what is refused says what to write', () => {
  const refused = createConversion(rule('date'))('03.04.24')
  assert.ok(refused instanceof RefusedValue)
  assert.equal(
    refused.message,
    'Column "price" needs a date such as 2024-04-03; for such a date write format d.M.yy if the day comes first, M.d.yy if the month does',
  )
})
