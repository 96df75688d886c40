import { DOUBLED, QUOTED, type RecordBatch } from './record-batch.ts'

/** Reads fields of a batch as texts. */
export interface RecordTexts {
  /** Of the bytes that the batch lies in; to be called before the fields of each new batch. */
  turnTo(bytes: Buffer): void
  /** Null for an unquoted empty field. */
  fieldText(batch: RecordBatch, field: number): string | null
  /** All fields of a record. */
  cells(batch: RecordBatch, record: number): (string | null)[]
}

export function createRecordTexts(quote: string | null, escaping: string | null): RecordTexts {
  const quoteText = quote ?? ''
  let bytes: Buffer = Buffer.alloc(0)
  let whole: string | null = null
  return { turnTo, fieldText, cells }

  function turnTo(next: Buffer): void {
    bytes = next
    whole = null
  }

  function fieldText(batch: RecordBatch, field: number): string | null {
    const start = batch.starts[field] ?? 0
    const end = batch.ends[field] ?? 0
    const flags = batch.flags[field] ?? 0
    if (start === end) return (flags & QUOTED) === 0 ? null : ''
    const value = isAscii(start, end) ? wholeText().slice(start, end) : bytes.toString('utf8', start, end)
    return (flags & DOUBLED) === 0 ? value : unquoted(value)
  }

  function cells(batch: RecordBatch, record: number): (string | null)[] {
    const values: (string | null)[] = []
    const end = batch.firstField[record + 1] ?? 0
    for (let field = batch.firstField[record] ?? 0; field < end; field += 1) values.push(fieldText(batch, field))
    return values
  }

  /** Cutting one long text is several times as fast as making each short one from bytes. */
  function wholeText(): string {
    const text = whole ?? bytes.toString('latin1')
    whole = text
    return text
  }

  function isAscii(start: number, end: number): boolean {
    for (let at = start; at < end; at += 1) if ((bytes[at] ?? 0) > 127) return false
    return true
  }

  function unquoted(value: string): string {
    if (escaping === null) return value.replaceAll(quoteText + quoteText, quoteText)
    let plain = ''
    for (let at = 0; at < value.length; at += 1) {
      const next = value[at + 1]
      const isPair =
        (value[at] === escaping && (next === quoteText || next === escaping)) || (value[at] === quoteText && next === quoteText)
      if (isPair) at += 1
      plain += value[at]
    }
    return plain
  }
}
