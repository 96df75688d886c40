import assert from 'node:assert/strict'
import { test } from 'node:test'
import { namePrefix } from '../../../systemscripts/mail/name-prefix.ts'
import { safeFileName } from '../../../systemscripts/safe-file-name.ts'

test('a prefix takes the date in a zone, the sender and the config, and is made safe with the name', () => {
  const facts = { at: new Date('2026-11-19T23:30:05Z'), sender: 'ann@example.com', subject: 'P/L', config: 'prices' }
  assert.equal(namePrefix('{yyyyMMdd}_', facts), '20261119_')
  assert.equal(namePrefix('{yyyy-MM-dd HHmmss} ', { ...facts, timeZone: 'Europe/Warsaw' }), '2026-11-20 003005 ')
  assert.equal(safeFileName('a.csv', namePrefix('{domain}-{subject}-{config}-', facts)), 'example.com-P_L-prices-a.csv')
  assert.equal(safeFileName('a.csv', '../'), '_a.csv')
})
