/** Code pages beyond those of Western and Central Europe, told by the letters of their languages. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createDecoder } from '../../systemscripts/csv/text-decoder.ts'
import { bytesRefusal, readBytes } from './csv-reads.ts'

/** Names of countries, as the language calls them, are its letters; and the code pages that its files come in. */
const pages: Record<string, string[]> = {
  de: ['windows-1252', 'ibm850', 'macintosh'],
  fr: ['windows-1252', 'ibm850', 'macintosh'],
  es: ['windows-1252', 'ibm850', 'macintosh'],
  pl: ['windows-1250', 'iso-8859-2', 'ibm852'],
  cs: ['windows-1250', 'iso-8859-2', 'ibm852'],
  sk: ['windows-1250', 'iso-8859-2'],
  tr: ['windows-1254'],
  ru: ['windows-1251', 'koi8-r', 'ibm866', 'iso-8859-5', 'x-mac-cyrillic'],
  uk: ['windows-1251', 'koi8-u'],
  sr: ['windows-1251'],
  el: ['windows-1253', 'iso-8859-7'],
  he: ['windows-1255'],
  ar: ['windows-1256'],
  fa: ['windows-1256'],
  th: ['windows-874'],
}

describe('countries in a table are read as they were written', () => {
  for (const [language, labels] of Object.entries(pages)) {
    for (const label of labels) {
      test(`${language} in ${label}`, async () => {
        const values = namesIn(language, label).map((name, index) => [String(index), name])
        const text = `id;name\n${values.map((row) => row.join(';')).join('\n')}\n`
        assert.deepEqual((await readBytes([encoded(text, label)])).values, values)
      })
    }
  }
})

test('DOS code pages are known by their names', async () => {
  for (const encoding of ['cp850', 'ibm850', 'IBM-850', 'dos850']) {
    assert.deepEqual((await readBytes([Buffer.from('a,b\nM\x81ller,K\x94ln\n', 'latin1')], { encoding })).values, [['Müller', 'Köln']])
  }
  assert.deepEqual((await readBytes([Buffer.from('a,b\n\xd5,1\n', 'latin1')], { encoding: 'cp858' })).values, [['€', '1']])
  assert.equal((await bytesRefusal([Buffer.from('a,b\n')], { encoding: 'cp999' })).code, 'encoding_unknown')
})

test('UTF-16 without a byte order mark is told where few bytes are NUL, too', async () => {
  const text = 'номер;имя\r\n1;Москва\r\n2;Київ\r\n'
  const little = Buffer.from(text, 'utf16le')
  for (const bytes of [little, Buffer.from(little).swap16()]) {
    assert.deepEqual((await readBytes([bytes])).values, [
      ['1', 'Москва'],
      ['2', 'Київ'],
    ])
  }
})

test('ISO-2022-JP is told by its escapes', async () => {
  const bytes = Buffer.from('id,name\n1,\x1b$B;3ED\x1b(B\n', 'latin1')
  assert.deepEqual((await readBytes([bytes])).values, [['1', '山田']])
})

test('a sign beside numbers is a sign, and no letter of another code page', async () => {
  for (const [hex, sign] of [
    ['80', '€'],
    ['a3', '£'],
    ['b0', '°'],
    ['a0', '\u00a0'],
  ]) {
    const text = (n: number) => Buffer.concat([Buffer.from(`${n},${n}`), Buffer.from(hex ?? '', 'hex'), Buffer.from('000\n')])
    const { values } = await readBytes([Buffer.concat([Buffer.from('id,price\n'), text(1), text(2), text(3)])])
    assert.deepEqual(values[0], ['1', `1${sign}000`])
  }
})

test('typesetters’ apostrophes in English are no letters of a Mac', async () => {
  const bytes = Buffer.from('id,text\n1,It\x92s new\n2,don\x92t\n3,O\x92Neill\n', 'latin1')
  assert.deepEqual((await readBytes([bytes])).values, [
    ['1', 'It’s new'],
    ['2', 'don’t'],
    ['3', 'O’Neill'],
  ])
})

/** Of the countries as the language calls them those that the code page can write. */
function namesIn(language: string, label: string): string[] {
  const countries = new Intl.DisplayNames(language, { type: 'region' })
  const known = new Set(characters(label).keys())
  return REGIONS.map((region) => countries.of(region) ?? '').filter(
    (name) => !/[;'’]/.test(name) && [...name].every((letter) => known.has(letter)),
  )
}

const REGIONS =
  'AD AE AF AL AM AR AT AU AZ BA BD BE BG BO BR BY CA CH CI CL CM CN CO CU CY CZ DE DK DZ EE EG ES ET FI FR GB GE GH GR HR HU ID IE IL IN IQ IR IS IT JM JO JP KE KG KH KR KW KZ LA LB LT LU LV LY MA MD ME MK ML MT MX MY MZ NG NL NO NP NZ OM PE PH PK PL PT PY QA RO RS RU SA SE SI SK SN SY TH TN TR TZ UA US UY UZ VE VN YE ZA'.split(
    ' ',
  )

/** By turning the decoder round. */
function encoded(text: string, label: string): Buffer {
  const bytes = characters(label)
  return Buffer.from([...text].map((character) => bytes.get(character) ?? assert.fail(`${label} has no ${character}`)))
}

function characters(label: string): Map<string, number> {
  const found = new Map<string, number>()
  for (let byte = 0; byte < 256; byte += 1) {
    try {
      found.set(createDecoder(label).decode(Uint8Array.of(byte)), byte)
    } catch {
      // Not every byte is a character there.
    }
  }
  return found
}
