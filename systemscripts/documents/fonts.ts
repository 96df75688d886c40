import { createRequire } from 'node:module'

export const FONT_FAMILY = 'DejaVu Sans'

/**
 * Files of the font that charts and PDFs are written in: it has Latin, Greek, Cyrillic, Arabic, Hebrew and many signs, comes with the program, and so
 * shows the same on a machine without any font.
 */
export function fontFiles(): { regular: string; bold: string } {
  const { resolve } = createRequire(import.meta.url)
  return {
    regular: resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf'),
    bold: resolve('dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf'),
  }
}

/** Whether a text has letters of a large script that the font has none of; they show as boxes. */
export function hasStrangeLetters(text: string): boolean {
  return STRANGE.test(text)
}

const STRANGE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Khmer}\p{Script=Ethiopic}]/u
export const STRANGE_LETTERS = 'letters of scripts such as Chinese or Hindi, which the font lacks, show as boxes'
