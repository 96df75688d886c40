import { isUtf8 } from 'node:buffer'

/** What a header says. It is read as Latin-1, as the protocol has it; most servers that write more than ASCII there write UTF-8. */
export function headerText(value: string): string {
  const bytes = Buffer.from(value, 'latin1')
  return isUtf8(bytes) ? bytes.toString('utf8') : value
}
