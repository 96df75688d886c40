import { momentText } from '../cell-values.ts'

/** Writes the texts of moments as bytes, each in the place of the one before. */
export interface MomentBytes {
  readonly bytes: Uint8Array
  /** Of the text that was written last. */
  readonly length: number
  /** @returns false for what is no day from 1900 on */
  write(serial: number, is1904: boolean): boolean
}

const MS_PER_DAY = 86_400_000
const DAYS_FROM_1900_TO_1904 = 1462
const LAST_DAY = 2_958_465
const DAY_LENGTH = '2024-03-04'.length
const LONGEST = '2024-03-04 05:06:07.123'.length
const KEPT_DAYS = 1 << 12

export function createMomentBytes(): MomentBytes {
  const keptDays = new Int32Array(KEPT_DAYS).fill(-1)
  const keptTexts = new Uint8Array(KEPT_DAYS * DAY_LENGTH)
  const moments = { bytes: new Uint8Array(LONGEST), length: 0, write }
  const { bytes } = moments
  return moments

  function write(serial: number, is1904: boolean): boolean {
    const milliseconds = Math.round(serial * MS_PER_DAY)
    const days = Math.floor(milliseconds / MS_PER_DAY)
    const day = days + (is1904 ? DAYS_FROM_1900_TO_1904 : 0)
    // A value that is no number fails both comparisons.
    if (!(serial >= 0 && day >= 1 && day <= LAST_DAY)) return false
    putDay(day)
    const sinceMidnight = milliseconds - days * MS_PER_DAY
    moments.length = DAY_LENGTH
    if (sinceMidnight !== 0) putTime(sinceMidnight)
    return true
  }

  function putDay(day: number): void {
    const slot = day & (KEPT_DAYS - 1)
    const place = slot * DAY_LENGTH
    if (keptDays[slot] !== day) {
      const text = momentText(day, false) ?? ''
      for (let at = 0; at < DAY_LENGTH; at += 1) keptTexts[place + at] = text.charCodeAt(at)
      keptDays[slot] = day
    }
    for (let at = 0; at < DAY_LENGTH; at += 1) bytes[at] = keptTexts[place + at] ?? 0
  }

  /** ` 05:06:07`, and `.123` where there are milliseconds. */
  function putTime(sinceMidnight: number): void {
    const seconds = Math.floor(sinceMidnight / 1000)
    const minutes = Math.floor(seconds / 60)
    const hours = Math.floor(minutes / 60)
    const fraction = sinceMidnight - seconds * 1000
    bytes[10] = BLANK
    putTwo(11, hours)
    bytes[13] = COLON
    putTwo(14, minutes - hours * 60)
    bytes[16] = COLON
    putTwo(17, seconds - minutes * 60)
    moments.length = 19
    if (fraction === 0) return
    bytes[19] = POINT
    putTwo(20, Math.floor(fraction / 10))
    bytes[22] = ZERO + (fraction % 10)
    moments.length = 23
  }

  function putTwo(to: number, number: number): void {
    const tens = Math.floor(number / 10)
    bytes[to] = ZERO + tens
    bytes[to + 1] = ZERO + number - tens * 10
  }
}

const BLANK = 0x20
const COLON = 0x3a
const POINT = 0x2e
const ZERO = 0x30
