import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDate } from '../../systemscripts/date-format.ts'
import { PermanentError } from '../../systemscripts/errors.ts'

const readable: [text: string, format: string, day: string][] = [
  ['20261122', 'yyyyMMdd', '2026-11-22'],
  ['20261122T061500', 'yyyyMMddTHHmmss', '2026-11-22'],
  ['2026-11-22T06:15:00.123Z', 'yyyy-MM-ddTHH:mm:ss.SSSZ', '2026-11-22'],
  ['22.11.2026', 'dd.MM.yyyy', '2026-11-22'],
  ['2.1.2026', 'd.M.yyyy', '2026-01-02'],
  ['22 Nov 2026', 'dd MMM yyyy', '2026-11-22'],
  ['22-november-26', 'dd-MMM-yy', '2026-11-22'],
  ['Sept. 1 1999', 'MMM d yyyy', '1999-09-01'],
  ['11/22/70', 'MM/dd/yy', '1970-11-22'],
  ['11/22/69', 'MM/dd/yy', '2069-11-22'],
  ['2026-11-22 06:15 PM', 'yyyy-MM-dd hh:mm a', '2026-11-22'],
  ['week of 22.11.2026', "'week of' dd.MM.yyyy", '2026-11-22'],
  ['29.02.2028', 'dd.MM.yyyy', '2028-02-29'],
  ['(2026)11+22', '(yyyy)MM+dd', '2026-11-22'],
  ['20261122T0615', 'yyyyMMddThhmm', '2026-11-22'],
  ['22.Nov.2026', 'dd.MMM.yyyy', '2026-11-22'],
  ['22. März 2026', 'd. MMMM@de yyyy', '2026-03-22'],
  ['22 listopada 2026', 'd MMMM@pl yyyy', '2026-11-22'],
  ['Sunday, 22 Nov 2026', 'EEEE, d MMM yyyy', '2026-11-22'],
  ['22/11/2026', 'yyyy-MM-dd | dd/MM/yyyy', '2026-11-22'],
]

for (const [text, format, day] of readable) {
  test(`"${text}" as ${format} is ${day}`, () => assert.equal(readDate(text, format), day))
}

const unreadable: [text: string, format: string, code: string][] = [
  ['20260230', 'yyyyMMdd', 'date_not_read'],
  ['20261322', 'yyyyMMdd', 'date_not_read'],
  ['2026112', 'yyyyMMdd', 'date_not_read'],
  ['20261122x', 'yyyyMMdd', 'date_not_read'],
  ['22 Foo 2026', 'dd MMM yyyy', 'date_not_read'],
  ['20261122T256000', 'yyyyMMddTHHmmss', 'date_not_read'],
  ['2026-11-22 13:00 PM', 'yyyy-MM-dd hh:mm a', 'date_not_read'],
  ['', 'yyyyMMdd', 'date_not_read'],
  ['Monday, 22 Nov 2026', 'EEEE, d MMM yyyy', 'date_not_read'],
  ['202611', 'yyyyMM', 'date_format_invalid'],
  ['x', 'yyyyMMddQ', 'date_format_invalid'],
  ['x', 'yyyyMMddMM', 'date_format_invalid'],
  ['x', 'dMyyyy', 'date_format_invalid'],
  ['x', 'd MMM@xx yyyy', 'date_format_invalid'],
  ['x', "dd.MM.yyyy 'o clock", 'date_format_invalid'],
]

for (const [text, format, code] of unreadable) {
  test(`"${text}" as ${format} is refused with ${code}`, () => {
    assert.throws(
      () => readDate(text, format),
      (error: unknown) => error instanceof PermanentError && error.code === code,
    )
  })
}
