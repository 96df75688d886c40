import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { stripVTControlCharacters } from 'node:util'

/** Longest line that is passed on; the rest of it is dropped. */
const lineLength = 2000

/**
 * Calls `onLine` for each line of a stream, as UTF-8, without control characters and colour codes; of a line that was overwritten with
 * carriage returns the last state. Memory does not grow with the length of a line.
 */
export function readLines(stream: Readable, onLine: (line: string) => void): void {
  const decoder = new StringDecoder('utf8')
  let open = ''
  let isOpen = false
  const take = (text: string) => {
    const pieces = text.split('\n')
    for (const [index, piece] of pieces.entries()) {
      if (piece !== '') isOpen = true
      open = overwrite(open, piece)
      if (index === pieces.length - 1) continue
      onLine(clean(open))
      open = ''
      isOpen = false
    }
  }
  stream.on('data', (bytes: Buffer) => take(decoder.write(bytes)))
  stream.on('end', () => {
    take(decoder.end())
    if (isOpen) onLine(clean(open))
  })
  // a pipe that breaks ends the output, and the exit code tells the rest
  stream.on('error', () => {})
}

/** A carriage return before the line's end belongs to that end. */
function overwrite(open: string, piece: string): string {
  const whole = open + piece
  const shown = whole.endsWith('\r') ? whole.lastIndexOf('\r', whole.length - 2) : whole.lastIndexOf('\r')
  const last = shown === -1 ? whole : whole.slice(shown + 1)
  return last.length > 2 * lineLength ? last.slice(0, 2 * lineLength) : last
}

function clean(line: string): string {
  const plain = stripVTControlCharacters(line)
    .replace(/(?!\t)\p{Cc}/gu, '')
    .toWellFormed()
  return plain.length > lineLength ? `${plain.slice(0, lineLength).toWellFormed()}…` : plain
}
