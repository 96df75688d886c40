/** How a CSV is written. */
export interface Dialect {
  /** One character. */
  delimiter: string
  /** One ASCII character; null: no character quotes. */
  quote: string | null
  /** Before a quote inside quotes it makes that quote data, as a doubled quote does; null: only doubling does. */
  escape: '\\' | null
  /** `\n` also takes `\r\n`; `any` takes a lone `\r` too. */
  lineEnd: '\n' | 'any'
  /** Blanks behind a delimiter, and before the quote that opens a line, are no data. */
  skipsBlanks: boolean
}
