/** Lines to a stream that a reader may close at any time, as `head` does. */
export interface Output {
  /** Writes one line. After the reader has gone it does nothing. */
  line(text?: string): void
  /** Writes text as it is. */
  write(text: string): void
  /** Aborted when the reader has gone: whoever goes on without an end stops then. */
  closed: AbortSignal
  isTerminal: boolean
  /** Characters in a line of the terminal; undefined for a file or a pipe. */
  width: number | undefined
}

/** A closed pipe ends the output, not the process. */
export function openOutput(stream: NodeJS.WriteStream): Output {
  const closing = new AbortController()
  stream.on('error', (error: NodeJS.ErrnoException) => {
    closing.abort()
    if (error.code !== 'EPIPE') process.exitCode = 1
  })
  const write = (text: string) => {
    if (!closing.signal.aborted) stream.write(text)
  }
  return {
    line: (text = '') => write(`${text}\n`),
    write,
    closed: closing.signal,
    isTerminal: stream.isTTY === true,
    get width() {
      // a terminal that does not know its width says 0
      return (stream.isTTY === true && stream.columns) || undefined
    },
  }
}
