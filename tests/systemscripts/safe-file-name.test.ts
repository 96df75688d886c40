import assert from 'node:assert/strict'
import { basename, join, resolve } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { safeFileName } from '../../systemscripts/safe-file-name.ts'

test('no name leads out of its folder, hides itself, or is reserved', () => {
  const names: [written: string, safe: string][] = [
    ['prices.xlsx', 'prices.xlsx'],
    ['../../etc/passwd', 'passwd'],
    ['..\\..\\windows\\system.ini', 'system.ini'],
    ['/etc/cron.d/job', 'job'],
    ['C:\\Users\\ann\\prices.xlsx', 'prices.xlsx'],
    ['C:prices.xlsx', 'C_prices.xlsx'],
    ['\\\\server\\share\\a.csv', 'a.csv'],
    ['P/L report.xlsx', 'P_L report.xlsx'],
    ['a:b.csv', 'a_b.csv'],
    ['..', 'attachment'],
    ['', 'attachment'],
    ['...', 'attachment'],
    ['/', 'attachment'],
    ['.htaccess', 'htaccess'],
    ['~$prices.xlsx', '$prices.xlsx'],
    ['prices.xlsx. . ', 'prices.xlsx'],
    ['CON', '_CON'],
    ['con.txt', '_con.txt'],
    ['lpt1 .csv', '_lpt1 .csv'],
    ['COM².csv', '_COM².csv'],
    ['conference.csv', 'conference.csv'],
    ['a\u0000b\r\nc.csv', 'a b c.csv'],
    ['prices\u202excod.exe', 'pricesxcod.exe'],
    ['pri\u200bces\ufeff.csv', 'prices.csv'],
    ['a|b?c*d<e>f".csv', 'a_b_c_d_e_f_.csv'],
    ['Ma\u0308rz.csv', 'März.csv'],
    ['\ud800.csv', '_.csv'],
  ]
  for (const [written, safe] of names) assert.equal(safeFileName(written), safe, JSON.stringify(written))
})

test('a long name keeps its ending and fits the file system, and two long names stay two', () => {
  const long = safeFileName(`${'ü'.repeat(300)}.xlsx`)
  assert.ok(Buffer.byteLength(long) <= 200 && long.endsWith('.xlsx'), long)
  assert.notEqual(safeFileName(`${'a'.repeat(300)}1.xlsx`), safeFileName(`${'a'.repeat(300)}2.xlsx`))
})

test('whatever a stranger writes becomes one plain name', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), fc.string({ unit: 'binary', maxLength: 20 }), (name, prefix) => {
      const safe = safeFileName(name, prefix)
      assert.equal(resolve(join('/data', safe)), `/data/${safe}`)
      assert.equal(basename(safe), safe)
      assert.ok(safe.length > 0 && Buffer.byteLength(safe) <= 200)
      assert.ok(!/^[.~]|[.\s]$|[<>:"/\\|?*\p{Cc}]/u.test(safe), safe)
      assert.equal(safeFileName(safe), safe)
    }),
    { numRuns: 2000 },
  )
})
