import type { MessageRef } from '../message-head.ts'
import { type MessagePart, partOfHeader } from '../message-part.ts'
import { headerFields } from '../mime/header-fields.ts'
import { needsUnpacking, unpackParts } from '../unpack-parts.ts'
import { bodyPart } from './body-structure.ts'
import { bytesOf, fetchInBatches, fetchItems } from './heads.ts'
import { openEncoded } from './read-parts.ts'
import type { ImapSession } from './session.ts'

/** See Mailbox.structures. */
export async function* fetchStructures(session: ImapSession, refs: MessageRef[]): AsyncGenerator<{ ref: MessageRef; root: MessagePart }> {
  for await (const { ref, values } of fetchInBatches(session, refs, '(UID BODYSTRUCTURE)')) {
    const root = bodyPart(values.get('BODYSTRUCTURE') ?? null)
    await readNames(session, ref, root)
    if (needsUnpacking(root)) await unpackParts(root, openEncoded(session, ref))
    yield { ref, root }
  }
}

/** What a server makes of names beyond ASCII, or written against the rules, is its own taste: such names are read from the part's own header. */
async function readNames(session: ImapSession, ref: MessageRef, root: MessagePart): Promise<void> {
  const parts = partsBelow(root).filter(isNameDoubtful).slice(0, 100)
  if (parts.length === 0) return
  const sections = parts.map((part) => (part === root ? 'HEADER' : `${part.partId}.MIME`))
  const items = sections.map((section) => `BODY.PEEK[${section}]`).join(' ')
  const values = (await fetchItems(session, [ref], `(UID ${items})`)).get(ref.uid)
  parts.forEach((part, index) => {
    const header = bytesOf(values, sections[index] ?? '')
    if (header !== null) part.fileName = partOfHeader(headerFields(header), part.partId).fileName ?? part.fileName
  })
}

function partsBelow(part: MessagePart): MessagePart[] {
  return [part, ...part.children.flatMap(partsBelow)]
}

function isNameDoubtful({ type, fileName, disposition }: MessagePart): boolean {
  if (type.startsWith('multipart/')) return false
  if (fileName === null) return disposition !== null || !/^(text|message)\//.test(type)
  return !/^[\w .()&+,@[\]{}#!-]+\.\w{1,5}$/.test(fileName)
}
