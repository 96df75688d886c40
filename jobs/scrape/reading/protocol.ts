import type { PageReading, PageRules, PageSource } from '../../../systemscripts/web/page/rules.ts'

/** To a reading thread: the first word are the rules, all others are pages. */
export type ReadingWord = { rules: PageRules } | { page: PageSource }

/** What it answers to a page, in their order. */
export type ReadingAnswer =
  | { reading: PageReading }
  | { refused: { code: string; message: string; detail: string | null; hint: string | null; isPermanent: boolean } }
  | { broken: string }
