import { isUtf8 } from 'node:buffer'
import { PermanentError } from '../errors.ts'
import { LANGUAGES } from './legacy-languages.ts'
import { scoreOf } from './letter-score.ts'
import { createDecoder } from './text-decoder.ts'
import type { WrongByte } from './utf8-bytes.ts'

/** So many different words with letters beyond ASCII are looked at. */
const MOST_WORDS = 2000
/** The best guess is taken when all others together are less likely than one in so many. */
const SURE = 20
/** Encodings of several bytes a character: any other text breaks their rules, or gives few letters. */
const WIDE_ENCODINGS: { label: string; letters: RegExp }[] = [
  {
    label: 'shift_jis',
    letters: /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー々〆、。・「」（）：！？％＆～／＋－　Ａ-Ｚａ-ｚ０-９]$/u,
  },
  {
    label: 'euc-jp',
    letters: /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー々〆、。・「」（）：！？％＆～／＋－　Ａ-Ｚａ-ｚ０-９]$/u,
  },
  { label: 'gb18030', letters: /^[\u4e00-\u9fa5，。、：；！？（）《》“”％　－～]$/u },
  { label: 'big5', letters: /^[\u4e00-\u9fa5，。、：；！？（）「」『』％　－～]$/u },
  { label: 'euc-kr', letters: /^[\p{Script=Hangul}，。、：；！？（）％　－～]$/u },
]

/**
 * The encoding of a text that is not UTF-8, told by what is plausible.
 *
 * Each candidate is a code page together with a language. It is rated by the letters beyond ASCII in the text's different words: how often that
 * language has each of them (legacy-languages.ts), next to nothing for one that it does not have; and by how usual it is to meet such a
 * file at all. Candidates that read the text alike are one. It is decided when the best is twenty times as likely as all others together. Chinese,
 * Japanese and Korean code pages are candidates when every character pair is well formed and nearly all are of the script.
 *
 * @param sample lines with the bytes in question
 * @param wrong where the text ceases to be UTF-8, for messages
 * @throws PermanentError `encoding_not_utf8` when that decides nothing, or when parts of the text are UTF-8
 */
export function legacyEncoding(sample: Buffer, wrong: WrongByte, fileName: string): string {
  const words = wordsOf(sample)
  const readings = [...wideReadings(sample), ...narrowReadings(words)].sort((left, right) => right.score - left.score)
  const [best] = readings
  const isWide = WIDE_ENCODINGS.some(({ label }) => label === best?.label)
  if (!isWide && words.some((word) => isUtf8(word))) throw partlyUtf8(wrong, fileName)
  if (best === undefined) throw undecided(sample, wrong, fileName, [])
  const likelihood = (some: Reading[]): number => some.reduce((sum, { score }) => sum + Math.exp(score - best.score), 0)
  const doubt = likelihood(readings.filter(({ text }) => text !== best.text))
  const support = likelihood(readings.filter(({ text }) => text === best.text))
  if (doubt * SURE > support || best.isPoor) throw undecided(sample, wrong, fileName, readings)
  return best.label
}

interface Reading {
  label: string
  /** The words as it reads them. */
  text: string
  /** Logarithm of how likely it is; only differences mean something. */
  score: number
  /** It makes no sense of the text, though all others make less. */
  isPoor: boolean
}

/** Runs of letters, digits and bytes beyond ASCII in which one of the latter stands, each once. */
function wordsOf(sample: Buffer): Buffer[] {
  const words = new Map<string, Buffer>()
  let start = -1
  let isForeign = false
  for (let at = 0; at <= sample.length && words.size < MOST_WORDS; at += 1) {
    const byte = sample[at] ?? 0
    const isPart = byte >= 0x80 || (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a)
    if (isPart) {
      if (start === -1) start = at
      isForeign ||= byte >= 0x80
      continue
    }
    if (start !== -1 && isForeign) {
      // The second byte of a pair may be any of ASCII's.
      const word = sample.subarray(start, at)
      words.set(word.toString('latin1'), word)
    }
    start = -1
    isForeign = false
  }
  return [...words.values()]
}

function narrowReadings(words: Buffer[]): Reading[] {
  return LANGUAGES.flatMap((language) => {
    const texts = decoded(words, language.label)
    if (texts === null) return []
    const scores = texts.map((text) => scoreOf(text, language))
    const foreign = texts.reduce((count, text) => count + [...text].filter((letter) => letter > '\x7f').length, 0)
    const score = scores.reduce((sum, one) => sum + one, 0)
    return [{ label: language.label, text: texts.join(' '), score: score + Math.log(language.prior), isPoor: score < foreign * POOR }]
  })
}

/** Null when some byte is no character there. */
function decoded(parts: Buffer[], label: string): string[] | null {
  const decoder = createDecoder(label)
  try {
    return parts.map((part) => decoder.decode(part) + decoder.decode(null))
  } catch {
    return null
  }
}

/** Below this mean logarithm a text is not of the language. */
const POOR = Math.log(0.004)
/** Whole lines, since the second byte of a pair may be any of ASCII's. */
function wideReadings(sample: Buffer): Reading[] {
  return WIDE_ENCODINGS.flatMap(({ label, letters }) => {
    const [text] = decoded([sample], label) ?? []
    const foreign = [...(text ?? '')].filter((character) => character > '\x7f')
    const known = foreign.filter((character) => letters.test(character))
    // Short words may be well formed by chance; long ones hardly, and then not of common characters.
    if (text === undefined || foreign.length < 4 || known.length < foreign.length * 0.97) return []
    const common = foreign.filter((character) => COMMON.has(character) || KANA.test(character)).length
    return [{ label, text, score: foreign.length * Math.log(0.001) + common * 3, isPoor: false }]
  })
}

/** There are few of them, so each is common. */
const KANA = /[\p{Script=Hiragana}\p{Script=Katakana}ー]/u

/** The most usual characters of Chinese and Japanese, and Hangul syllables of common words. */
const COMMON = new Set(
  [
    '的一是不了在人有我他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可里后小么心多天而能好都然没日于起还发成事只作当想看文无开手十用主行方又如前所本见经头面公同三已老从动两长',
    '日本人大一年中国会社出生上東京市区町村山川田高小子学校電話番号住所名前商品価格数量合計備考',
    'のをはがでとにたしてすいるなかもられさこあきくりまけえ',
    '商品訂單數量價格編號名稱地址電話客戶公司臺台北市區路號',
    '이다가는을를의에서로하고도시한지사인대기자상수정보일주구서울부산',
  ].join(''),
)

function partlyUtf8({ offset, byte, before }: WrongByte, fileName: string): PermanentError {
  return new PermanentError('encoding_not_utf8', `File "${fileName}" is partly UTF-8 and partly not`, {
    detail: `Byte ${byte} at offset ${offset} (from 0), after ${JSON.stringify(before)}, is no UTF-8, though other words are: parts in several encodings were put together, or a character was cut.`,
    hint: 'Ask the sender for a file in one encoding, or set encoding in the settings when it is known.',
  })
}

function undecided(sample: Buffer, { offset, byte, before }: WrongByte, fileName: string, readings: Reading[]): PermanentError {
  const labels = [...new Set(readings.filter(({ isPoor }) => !isPoor).map(({ label }) => label))].slice(0, 4)
  const seen = seenIn(sample)
  const shown = labels.map((label) => `${label} (${JSON.stringify(textIn(seen, label))})`)
  const guesses = shown.length === 0 ? '' : ` It may be ${shown.join(', ')}.`
  return new PermanentError('encoding_not_utf8', `File "${fileName}" is not UTF-8`, {
    detail: `Byte ${byte} at offset ${offset} (from 0), after ${JSON.stringify(before)}, is no UTF-8.${guesses}`,
    hint: `Set encoding in the settings to what the sender uses, for example ${labels[0] ?? 'windows-1252'}.`,
  })
}

function textIn(bytes: Buffer, label: string): string {
  const [text = ''] = decoded([bytes], label) ?? []
  return text.trim()
}

/** A few bytes around the first one in question. */
function seenIn(sample: Buffer): Buffer {
  const at = Math.max(
    0,
    sample.findIndex((byte) => byte > 127),
  )
  return sample.subarray(Math.max(0, at - 12, sample.lastIndexOf(10, at) + 1), at + 12)
}
