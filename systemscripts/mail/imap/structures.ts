import type { FetchMessageObject, MessageStructureObject } from 'imapflow'
import type { MessageRef } from '../message-head.ts'
import { dispositionOf, type MessagePart, partOfHeader } from '../message-part.ts'
import { headerFields } from '../mime/header-fields.ts'
import { needsUnpacking, unpackParts } from '../unpack-parts.ts'
import { fetchByUid } from './heads.ts'
import { openEncoded } from './read-parts.ts'
import type { ImapSession } from './session.ts'
import { batchesOf } from './uid-set.ts'

const BATCH = 250

/** See Mailbox.structures. Source: RFC 3501, 7.4.2 (BODYSTRUCTURE). */
export async function* fetchStructures(session: ImapSession, refs: MessageRef[]): AsyncGenerator<{ ref: MessageRef; root: MessagePart }> {
  for (const batch of batchesOf(refs, BATCH)) {
    const found = await fetchByUid(session, batch, 'fetching structures', { uid: true, bodyStructure: true })
    for (const ref of batch) {
      const structure = found.get(ref.uid)?.bodyStructure
      if (structure === undefined) continue
      const root = partOf(structure, '1')
      await readNames(session, ref, root)
      if (needsUnpacking(root)) await unpackParts(root, openEncoded(session, ref))
      yield { ref, root }
    }
  }
}

/** @param leafId number of the part when it holds no others */
function partOf(node: MessageStructureObject, leafId: string): MessagePart {
  const children = node.childNodes ?? []
  const isMultipart = node.type.startsWith('multipart/')
  const partId = isMultipart ? (node.part ?? '') : leafId
  const parameter = (name: string): string | null => node.parameters?.[name] ?? null
  return {
    partId,
    type: node.type,
    charset: parameter('charset'),
    encoding: node.encoding ?? '7bit',
    disposition: dispositionOf(node.disposition ?? ''),
    fileName: node.dispositionParameters?.filename || parameter('name') || null,
    contentId: node.id?.replace(/^<|>$/g, '') || null,
    encodedBytes: node.size ?? null,
    boundary: null,
    // An attached message that holds one text has no number of its own: the text is the first part of it.
    children: children.map((child) => partOf(child, isMultipart ? (child.part ?? '1') : `${partId}.1`)),
    stretch: null,
  }
}

/** What a server makes of names beyond ASCII, or written against the rules, is its own taste: such names are read from the part's own header. */
async function readNames(session: ImapSession, ref: MessageRef, root: MessagePart): Promise<void> {
  const parts = partsBelow(root).filter(isNameDoubtful).slice(0, 100)
  if (parts.length === 0) return
  const keys = parts.map((part) => (part === root ? 'HEADER' : `${part.partId}.MIME`))
  const message = (await fetchByUid(session, [ref], 'fetching names of attachments', { uid: true, bodyParts: keys })).get(ref.uid)
  parts.forEach((part, index) => {
    const header = message && headerOf(message, keys[index] ?? '')
    if (header) part.fileName = partOfHeader(headerFields(header), part.partId).fileName ?? part.fileName
  })
}

function headerOf(message: FetchMessageObject, key: string): Buffer | undefined {
  return key === 'HEADER' ? message.headers : message.bodyParts?.get(key.toLowerCase())
}

function partsBelow(part: MessagePart): MessagePart[] {
  return [part, ...part.children.flatMap(partsBelow)]
}

function isNameDoubtful({ type, fileName, disposition }: MessagePart): boolean {
  if (type.startsWith('multipart/')) return false
  if (fileName === null) return disposition !== null || !/^(text|message)\//.test(type)
  return !/^[\w .()&+,@[\]{}#!-]+\.\w{1,5}$/.test(fileName)
}
