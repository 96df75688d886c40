import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createStringStore } from '../../../systemscripts/spreadsheet/xlsx/string-store.ts'

test('texts of every length and alphabet are found again by their numbers, in order and out of it', () => {
  const store = createStringStore()
  const texts = Array.from({ length: 150_000 }, (_, index) => {
    if (index % 50_000 === 49_999) return 'x'.repeat(2_000_000)
    if (index % 7 === 0) return 'ü€𝄞'.repeat(index % 9)
    return index % 11 === 0 ? '' : `text ${index}`
  })
  for (const [index, text] of texts.entries()) {
    if (index % 2 === 0 || Buffer.byteLength(text) > text.length) store.add(text)
    else store.addAscii(Buffer.from(`ab${text}c`), 2, 2 + text.length)
  }
  assert.equal(store.count, texts.length)
  for (const [index, text] of texts.entries()) assert.ok(store.at(index) === text, `text ${index}`)
  for (let step = 0; step < texts.length; step += 1) {
    const index = (step * 77_773) % texts.length
    assert.ok(store.at(index) === texts[index], `text ${index}`)
  }
  assert.equal(store.at(texts.length), undefined)
})
