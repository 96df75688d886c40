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

export function emptyArchive(archive: string): PermanentError {
  return new PermanentError('archive_empty', `Archive "${archive}" holds no file`, {
    detail: 'Folders, and files whose name begins with a dot, are left out.',
    hint: 'Ask the sender to send it again.',
  })
}
