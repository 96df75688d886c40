import { createInterface } from 'node:readline'
import { PermanentError } from '../../systemscripts/errors.ts'
import type { Output } from './output.ts'

/** Everything that comes through the standard input, until it ends; empty at a terminal, where nobody piped anything in. */
export async function readAll(stdin: NodeJS.ReadStream): Promise<string> {
  if (stdin.isTTY) return ''
  const parts: Buffer[] = []
  for await (const part of stdin) parts.push(Buffer.from(part))
  return Buffer.concat(parts).toString('utf8')
}

/**
 * A secret from the standard input: piped in, without the line end that `echo` adds; or typed at the terminal, which shows nothing.
 *
 * @throws PermanentError `secret_empty`, `aborted` on Ctrl-C
 */
export async function readSecret(stdin: NodeJS.ReadStream, prompt: Output, question: string): Promise<string> {
  const secret = stdin.isTTY ? await typeHidden(stdin, prompt, question) : (await readAll(stdin)).replace(/\r?\n$/, '')
  if (secret !== '') return secret
  throw new PermanentError('secret_empty', 'The secret is empty', { hint: 'Type it when asked, or pipe it in.' })
}

function typeHidden(stdin: NodeJS.ReadStream, prompt: Output, question: string): Promise<string> {
  // from here on the terminal echoes nothing; readline still understands backspace and pasted text
  const lines = createInterface({ input: stdin, terminal: true })
  prompt.write(question)
  return new Promise((resolve, reject) => {
    lines.once('SIGINT', () => {
      reject(new PermanentError('aborted', 'Nothing was set', { hint: 'It was stopped at the prompt.' }))
      lines.close()
    })
    lines.once('line', (line) => {
      resolve(line)
      lines.close()
    })
    lines.once('close', () => {
      prompt.line()
      resolve('')
    })
  })
}
