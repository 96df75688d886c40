import type { MessagePart } from './message-part.ts'
import { textOfBytes } from './mime/text-of-bytes.ts'
import { walkMessage } from './mime/walk-message.ts'
import { openPart, stretchOf } from './open-part.ts'

/** A mail as a browser can show it. */
export interface MailPage {
  /** With its pictures inside; of a mail without HTML its text. */
  html: string
  /** Attached files, in order; names as the mail has them. */
  files: { fileName: string; content: Buffer }[]
}

/** Reads a whole message that stands in memory: one that Rota itself composed, of bounded size. */
export async function mailPage(message: Buffer): Promise<MailPage> {
  const leaves = leavesOf(await walkMessage(alone(message)))
  const read = (part: MessagePart): Promise<Buffer> =>
    wholeOf(openPart(part, (_, range) => stretchOf(alone(message), range ?? { start: 0, end: message.length })))
  const isBody = (part: MessagePart, type: string): boolean => part.type === type && part.disposition !== 'attachment'
  const pictures = new Map<string, string>()
  const files: MailPage['files'] = []
  for (const part of leaves) {
    if (isBody(part, 'text/html') || isBody(part, 'text/plain')) continue
    const content = await read(part)
    if (part.contentId !== null && part.disposition === 'inline')
      pictures.set(part.contentId, `data:${part.type};base64,${content.toString('base64')}`)
    else files.push({ fileName: part.fileName ?? 'file', content })
  }
  const html = leaves.find((part) => isBody(part, 'text/html'))
  const text = leaves.find((part) => isBody(part, 'text/plain'))
  const page = html === undefined ? '' : textOfBytes(await read(html), html.charset)
  return {
    html:
      html === undefined && text !== undefined ? preformatted(textOfBytes(await read(text), text.charset)) : withPictures(page, pictures),
    files,
  }
}

function leavesOf(part: MessagePart): MessagePart[] {
  return part.children.length === 0 ? [part] : part.children.flatMap(leavesOf)
}

async function* alone(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

async function wholeOf(bytes: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of bytes) pieces.push(piece)
  return Buffer.concat(pieces)
}

function withPictures(html: string, pictures: ReadonlyMap<string, string>): string {
  return html.replace(/(src=")cid:([^"]+)(")/g, (found, before: string, id: string, after: string) => {
    const picture = pictures.get(id)
    return picture === undefined ? found : `${before}${picture}${after}`
  })
}

function preformatted(text: string): string {
  const escaped = text.replace(/&/g, '&amp;').replace(/</g, '&lt;')
  return `<!doctype html><meta charset="utf-8"><pre>${escaped}</pre>`
}
