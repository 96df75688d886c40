import { closeSync, openSync, readSync } from 'node:fs'
import { basename } from 'node:path'
import { PermanentError } from '../errors.ts'
import { type FileKind, fileKind } from '../file-kind.ts'
import { memberNotFound, memberNotRead } from '../file-members/refusals.ts'
import { contentOfFile, type FileContent, type Member, membersOf } from '../file-members.ts'
import type { GridKind } from '../grid.ts'
import { memberTest } from './patterns.ts'
import type { ReadRequest } from './protocol.ts'

/** A file or a member of an archive, and what its tables are called by. */
export interface NamedContent extends FileContent {
  /** Of the member; null for a file of its own. */
  member: string | null
}

const CHUNK_BYTES = 512 * 1024

/** The contents of a file: itself, or the members of the archive that it is, each let go before the next is opened. */
export async function* contentsOf({ path, kind: stated, memberPattern, maxUnpackedBytes }: ReadRequest): AsyncGenerator<NamedContent> {
  const fileName = basename(path)
  const kind = await kindOf(path, stated)
  if (kind !== 'gzip' && kind !== 'zip' && kind !== 'protected') {
    if (stated !== 'auto' && stated !== kind) throw fileKindDiffers(fileName, stated, kind)
    yield { ...(await contentOfFile(path, kind)), ...(kind === 'csv' ? { bytes: () => fileBytes(path) } : {}), member: null }
    return
  }
  const members = await membersOf(path, kind, maxUnpackedBytes === null ? {} : { maxUnpackedBytes })
  const wanted = kind !== 'zip' || memberPattern === null ? members : matching(members, memberPattern, fileName)
  for (const { name, open } of wanted) {
    const content = await open().catch((error: unknown) => {
      throw wanted.length > 1 && error instanceof PermanentError && error.code.startsWith('file_') ? memberNotRead(error) : error
    })
    try {
      if (stated !== 'auto' && stated !== kind && stated !== content.kind) throw fileKindDiffers(content.fileName, stated, content.kind)
      yield { ...content, member: kind === 'zip' ? name : null }
    } finally {
      await content.close()
    }
  }
}

/** @throws PermanentError `member_not_found`, `file_pattern_invalid` */
function matching(members: Member[], pattern: string, fileName: string): Member[] {
  const isWanted = memberTest(pattern)
  const found = members.filter(({ name }) => isWanted(name))
  if (found.length > 0) return found
  throw memberNotFound(
    fileName,
    pattern,
    members.map(({ name }) => name),
  )
}

/** A CSV that is stated may be one that nobody would recognise: that may be why it is stated. */
async function kindOf(path: string, stated: ReadRequest['kind']): Promise<FileKind> {
  try {
    const kind = await fileKind(path)
    return stated === 'csv' && kind !== 'gzip' && kind !== 'zip' ? 'csv' : kind
  } catch (error) {
    if (stated === 'csv' && error instanceof PermanentError && error.code !== 'file_empty') return 'csv'
    throw error
  }
}

/** In a thread of its own reading needs no waiting in turns, and large pieces, all in the same memory, cost the least. */
async function* fileBytes(path: string): AsyncGenerator<Buffer> {
  const file = openSync(path, 'r')
  const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  try {
    for (;;) {
      const bytesRead = readSync(file, buffer, 0, CHUNK_BYTES, null)
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    closeSync(file)
  }
}

function fileKindDiffers(fileName: string, stated: FileKind, found: GridKind): PermanentError {
  return new PermanentError('file_kind_differs', `File "${fileName}" is ${found}, not ${stated}`, {
    detail: 'Told by its bytes, whatever its name ends in.',
    hint: 'Set file_kind in the settings to auto.',
  })
}
