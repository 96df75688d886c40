import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { legacyEncoding } from '../../systemscripts/csv/legacy-encoding.ts'
import { firstWrongByte } from '../../systemscripts/csv/utf8-bytes.ts'
import { bytesRefusal, readBytes } from './csv-reads.ts'

/** Texts in the code page that their country's files come in; few have more than a dozen letters beyond ASCII. */
const texts: [string, string][] = [
  ['windows-1252', 'Kunde;Ort\nMüller;Zürich\nGroß;Köln\n'],
  ['windows-1252', 'nom;ville\nHélène;Besançon\nFrançois;Nîmes\n'],
  ['windows-1252', 'nombre;ciudad\nPeña;A Coruña\nGarcía;Málaga\n'],
  ['windows-1252', 'nome;cidade\nJoão;São Paulo\nConceição;Brasília\n'],
  ['windows-1252', 'nome;città\nNiccolò;Forlì\nPerché;Cantù\n'],
  ['windows-1252', 'navn;by\nSøren;Århus\nKjær;Tromsø\n'],
  ['windows-1252', 'namn;stad\nÅsa;Malmö\nBjörk;Gävle\n'],
  ['windows-1252', 'item;price\nGift “Deluxe”;€ 5\nIt’s – new;£ 7\n'],
  ['windows-1250', 'nazwa;miasto\nŻółć;Łódź\nWiśniewska;Gdańsk\nKsiążka;Kraków\n'],
  ['windows-1250', 'jméno;město\nDvořák;Plzeň\nČerný;Ústí nad Labem\nŘehoř;Jičín\n'],
  ['windows-1250', 'név;város\nKovács;Győr\nSzűcs;Hódmezővásárhely\n'],
  ['windows-1250', 'ime;grad\nKovačić;Šibenik\nĐurić;Čakovec\nŽižek;Niš\n'],
  ['windows-1251', 'имя;город\nИванов;Москва\nПетрова;Санкт-Петербург\n'],
  ['koi8-r', 'имя;город\nИванов;Москва\nПетрова;Санкт-Петербург\nСидоров;Новосибирск\n'],
  ['ibm866', 'имя;город\nИванов;Москва\nПетрова;Санкт-Петербург\nСидоров;Новосибирск\n'],
  ['windows-1251', "ім'я;місто\nШевченко;Київ\nЄвгенія;Львів\n"],
  ['windows-1253', 'όνομα;πόλη\nΓιώργος;Αθήνα\nΠαπαδόπουλος;Θεσσαλονίκη\n'],
  ['windows-1254', 'ad;şehir\nYılmaz;İstanbul\nÇağlar;Eskişehir\nGüneş;Diyarbakır\n'],
]

describe('a text that is not UTF-8', () => {
  for (const [label, text] of texts) {
    test(`is told to be ${label}: ${text.split('\n')[1]}`, () => {
      assert.equal(told(encoded(text, label)), label)
    })
  }

  test('of Japan, China, Taiwan or Korea is told by its pairs of bytes', () => {
    // Written by iconv: 商品名,東京都 and 日本の会社 in shift_jis; 商品名称 and 我们的公司在中国 in gbk; 서울시 주소 in euc-kr.
    const written: [string, string][] = [
      ['shift_jis', '8fa4956996bc2c938c8b9e93730a93fa967b82cc89ef8ed02c93fa967b90fc0a'],
      ['gb18030', 'c9ccc6b7c3fbb3c62cb9abcbbe0aced2c3c7b5c4b9abcbbed4dad6d0b9fa0a'],
      ['euc-kr', 'bcadbfefbdc32cc1d6bcd20ac0ccb8a72cbbe7b6f7c0ccb4d90a'],
    ]
    for (const [label, hex] of written) assert.equal(told(Buffer.from(hex, 'hex')), label)
  })

  test('is read in the encoding that it is in', async () => {
    assert.deepEqual(await readBytes([encoded('Kunde,Ort\nMüller,Zürich\n', 'windows-1252')]), {
      headers: ['Kunde', 'Ort'],
      values: [['Müller', 'Zürich']],
    })
  })

  test('is noticed wherever its first foreign byte stands', async () => {
    const text = `name,town\n${'A,Graz\n'.repeat(200_000)}Müller,Köln\nGroß,Zürich\n`
    const { values } = await readBytes([encoded(text, 'windows-1252')])
    assert.deepEqual(values.at(-1), ['Groß', 'Zürich'])
  })

  test('that may be several is refused with what it may be', async () => {
    const error = await bytesRefusal([Buffer.from('a,b\nx,\xe8\n', 'latin1')])
    assert.equal(error.code, 'encoding_not_utf8')
    assert.match(error.detail ?? '', /0xE8 at offset 6 .* is no UTF-8\. It may be windows-125\d \(.*è/)
    assert.match(error.hint ?? '', /encoding/)
  })

  test('that is UTF-8 in other places is refused', async () => {
    const error = await bytesRefusal([Buffer.from('a,b\nZürich,1\n'), Buffer.from('Z\xfcrich,2\n', 'latin1')])
    assert.equal(error.code, 'encoding_not_utf8')
    assert.match(error.message, /partly/)
  })

  test('that is a heap of bytes is refused', async () => {
    const bytes = Buffer.from(
      Array.from({ length: 4000 }, (_, at) => (at % 40 === 39 ? 10 : at % 7 === 3 ? 44 : 128 + ((at * 7919) % 127))),
    )
    assert.equal((await bytesRefusal([Buffer.from('a,b\n'), bytes])).code, 'encoding_not_utf8')
  })
})

function told(bytes: Buffer): string {
  return legacyEncoding(bytes, firstWrongByte(bytes), 'file.csv')
}

/** By turning the decoder round. */
function encoded(text: string, label: string): Buffer {
  const decoder = new TextDecoder(label)
  const bytes = new Map(Array.from({ length: 256 }, (_, byte) => [decoder.decode(Uint8Array.of(byte)), byte]))
  return Buffer.from([...text].map((character) => bytes.get(character) ?? assert.fail(`${label} has no ${character}`)))
}
