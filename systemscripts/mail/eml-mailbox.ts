import { createReadStream } from 'node:fs'
import { access, lstat, open, readdir } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { JobError, PermanentError } from '../errors.ts'
import { moveFile } from '../move-file.ts'
import { safeFileName } from '../safe-file-name.ts'
import { listMatchingFiles } from '../settled-files.ts'
import { leanStream } from './lean-stream.ts'
import type { Look, LookOptions, Mailbox, MessageAction, WantedPart } from './mailbox.ts'
import { headOf, type MessageHead, type MessageRef } from './message-head.ts'
import type { MessagePart } from './message-part.ts'
import { MOST_HEADER_BYTES } from './mime/header-fields.ts'
import { walkMessage } from './mime/walk-message.ts'
import { type OpenEncoded, openPart } from './open-part.ts'
import { unpackParts } from './unpack-parts.ts'

const CHUNK_BYTES = 256 * 1024

/**
 * A folder of .eml files as a mailbox: a drop box, and what tests use. Folders in it are its labels; `INBOX` and the empty name are the folder
 * itself. Labelling and moving both move the file, under a free name; what cannot be kept in a file (read, flagged) changes nothing. Every
 * look gives all files; the ledger of the caller knows which it has seen.
 *
 * @param path absolute
 */
export async function openEmlMailbox(path: string, signal?: AbortSignal): Promise<Mailbox> {
  const root = resolve(path)
  await access(root).catch((cause) => {
    throw new JobError('folder_missing', `Folder "${root}" does not exist`, {
      hint: 'Create it, mount it, or correct host in dba.connection.',
      cause,
    })
  })
  const pathOf = (ref: MessageRef): string => join(folderPath(root, ref.folder), ref.uid)
  return {
    account: `folder:${root}`,
    folders: async () => ['INBOX', ...(await namesOfFolders(root))],
    look: (folder, options) => lookIntoFolder(folderPath(root, folder), folder, options, signal),
    heads: (refs) => readHeads(refs, pathOf),
    structures: (refs) => readStructures(refs, pathOf),
    read: (wanted) => readParts(wanted, pathOf),
    raw: (ref) => leanStream(createReadStream(pathOf(ref), { highWaterMark: CHUNK_BYTES })),
    act: (ref, action) => actOnFile(root, pathOf(ref), action),
    hint: null,
    close: async () => {},
  }
}

async function namesOfFolders(root: string): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name)
}

/** A label is one folder below the root, whatever is written in it. */
function folderPath(root: string, folder: string): string {
  return folder === '' || /^inbox$/i.test(folder) ? root : join(root, safeFileName(folder.replaceAll('/', '_')))
}

async function lookIntoFolder(path: string, folder: string, options: LookOptions, signal?: AbortSignal): Promise<Look> {
  const files = await listMatchingFiles(path, { pattern: '.+\\.(eml|EML|Eml)', patternKind: 'regex', orderBy: 'modified', signal }).catch(
    (error) => {
      if (error instanceof JobError && error.code === 'folder_missing') throw emlFolderMissing(path)
      throw error
    },
  )
  const wanted = files.filter(({ modifiedAt }) => !options.notBefore || modifiedAt >= options.notBefore)
  return {
    refs: wanted.map(({ name }) => ({ folder, uidValidity: '', uid: name })),
    cursor: { uidValidity: '', uid: '', witnessKey: null, lookedAt: new Date().toISOString() },
    startedAnew: null,
  }
}

function emlFolderMissing(path: string): PermanentError {
  return new PermanentError('mail_folder_missing', `The mailbox has no folder "${basename(path)}"`, {
    detail: `Looked for ${path}.`,
    hint: 'Correct folder in dba.inboxconfig, or make the folder.',
  })
}

async function* readHeads(refs: MessageRef[], pathOf: (ref: MessageRef) => string): AsyncGenerator<MessageHead> {
  for (const ref of refs) {
    const stats = await lstat(pathOf(ref)).catch(() => null)
    if (!stats?.isFile()) continue
    const block = await beginningOf(pathOf(ref))
    // A copy in a folder says nothing about when the mail came, save that it was not later.
    yield headOf(block, { ref, receivedAt: null, sizeBytes: stats.size, isSeen: false })
  }
}

async function beginningOf(path: string): Promise<Buffer> {
  const file = await open(path, 'r')
  try {
    const pieces: Buffer[] = []
    for (let length = 0; length < MOST_HEADER_BYTES; ) {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(16 * 1024), 0, 16 * 1024, length)
      if (bytesRead === 0) break
      const piece = buffer.subarray(0, bytesRead)
      pieces.push(piece)
      length += bytesRead
      if (/\n\r?\n/.test(piece.toString('latin1'))) break
    }
    return withoutEnvelopeLine(Buffer.concat(pieces))
  } finally {
    await file.close()
  }
}

/** The line with which an mbox begins each message. */
function withoutEnvelopeLine(block: Buffer): Buffer {
  return block.toString('latin1', 0, 5) === 'From ' ? block.subarray(block.indexOf(0x0a) + 1) : block
}

async function* readStructures(
  refs: MessageRef[],
  pathOf: (ref: MessageRef) => string,
): AsyncGenerator<{ ref: MessageRef; root: MessagePart }> {
  for (const ref of refs) {
    const path = pathOf(ref)
    if (!(await isFile(path))) continue
    const root = await walkMessage(createReadStream(path, { highWaterMark: CHUNK_BYTES }))
    await unpackParts(root, openEncoded(path))
    yield { ref, root }
  }
}

async function* readParts(
  wanted: WantedPart[],
  pathOf: (ref: MessageRef) => string,
): AsyncGenerator<WantedPart & { content: AsyncIterable<Buffer> }> {
  for (const one of wanted) {
    if (await isFile(pathOf(one.ref))) yield { ...one, content: openPart(one.part, openEncoded(pathOf(one.ref))) }
  }
}

async function isFile(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null))?.isFile() ?? false
}

function openEncoded(path: string): OpenEncoded {
  return (_, range) => stretch(path, range ?? { start: 0, end: Number.POSITIVE_INFINITY })
}

async function* stretch(path: string, { start, end }: { start: number; end: number }): AsyncGenerator<Buffer> {
  if (end > start) yield* createReadStream(path, { start, end: end - 1, highWaterMark: CHUNK_BYTES })
}

async function actOnFile(root: string, path: string, { kind, label = 'Processed' }: MessageAction): Promise<string | null> {
  if (!(await isFile(path))) return null
  if (kind !== 'label' && kind !== 'move') return 'left as it was'
  const moved = await moveFile(path, folderPath(root, label))
  return `moved to "${label}" as "${basename(moved)}"`
}
