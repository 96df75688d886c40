import { PermanentError } from '../errors.ts'

export function archiveBroken(archive: string, detail: string, cause?: unknown): PermanentError {
  return new PermanentError('archive_broken', `Archive "${archive}" is broken or cut off`, {
    detail,
    hint: 'Ask the sender to send it again, and compare the sizes.',
    ...(cause === undefined ? {} : { cause }),
  })
}

export function archiveTooLarge(archive: string, detail: string): PermanentError {
  return new PermanentError('archive_too_large', `Archive "${archive}" is too large to be unpacked`, {
    detail,
    hint: 'Look at the file: it may be made to fill disks. Else ask the sender for several smaller ones.',
  })
}

export function archiveUnsafe(archive: string, detail: string): PermanentError {
  return new PermanentError('archive_unsafe', `Archive "${archive}" is not built as archives are`, {
    detail,
    hint: 'Look at the file: it may be made to fill disks.',
  })
}

export function archiveEncrypted(archive: string, member: string): PermanentError {
  return new PermanentError('archive_encrypted', `Archive "${archive}" is protected by a password`, {
    detail: `Encrypted in it: "${member}".`,
    hint: 'Ask the sender for a copy that opens without a password.',
  })
}

export function archiveInArchive(archive: string, member: string): PermanentError {
  return new PermanentError('archive_in_archive', `Archive "${archive}" holds another archive`, {
    detail: `Packed in it: "${member}".`,
    hint: 'Ask the sender to pack the files themselves, once.',
  })
}

export function memberNotFound(archive: string, pattern: string, names: string[]): PermanentError {
  const shown = names.slice(0, 10).map((name) => `"${name}"`)
  return new PermanentError('member_not_found', `Archive "${archive}" holds no file that matches "${pattern}"`, {
    detail: `It holds ${shown.join(', ')}${names.length > shown.length ? ` and ${names.length - shown.length} more` : ''}.`,
    hint: 'Correct member_pattern in the settings, or leave it empty to read every file of the archive.',
  })
}

/** A member that cannot be read, among others. */
export function memberNotRead(error: PermanentError): PermanentError {
  return new PermanentError(error.code, error.message, {
    ...(error.detail === undefined ? {} : { detail: error.detail }),
    hint: 'Set member_pattern in the settings to the files of the archive that are tables, such as *.csv, or ask the sender to leave the others out.',
    cause: error,
  })
}

/** Told by its number in APPNOTE 6.3, 4.4.5. */
export function archiveMethodUnknown(archive: string, member: string, method: number): PermanentError {
  return new PermanentError('archive_method_unknown', `Archive "${archive}" is packed in a way that is not read here`, {
    detail: `Method of "${member}": ${METHODS.get(method) ?? `number ${method}`}.`,
    hint: 'Ask the sender to pack it as Windows and every zip program do by default (deflate).',
  })
}

const METHODS = new Map([
  [1, 'shrink'],
  [6, 'implode'],
  [9, 'deflate64'],
  [12, 'bzip2'],
  [14, 'lzma'],
  [93, 'zstd'],
  [95, 'xz'],
  [98, 'ppmd'],
])

export function emptyArchive(archive: string): PermanentError {
  return new PermanentError('archive_empty', `Archive "${archive}" holds no file`, {
    detail: 'Folders, and files whose name begins with a dot, are left out.',
    hint: 'Ask the sender to send it again.',
  })
}
