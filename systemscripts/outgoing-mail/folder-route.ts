import { createHash } from 'node:crypto'
import { access, constants, mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { JobError } from '../errors.ts'
import { stageFile } from '../mail/stage-file.ts'
import { moveFile } from '../move-file.ts'
import { safeFileName } from '../safe-file-name.ts'
import type { Delivery, Envelope, MailRoute } from './mail-route.ts'

export interface FolderRouteOptions {
  /** Absolute path; made when missing. */
  folder: string
}

/**
 * Writes each mail as an .eml file, whole or not at all. Its name begins with date and subject and is always the same for the same mail and
 * round, so a try that nobody saw the end of can be told from the folder.
 */
export function openFolderRoute({ folder }: FolderRouteOptions): MailRoute {
  return {
    async send(envelope, content, { onReady, signal } = {}) {
      signal?.throwIfAborted()
      await onReady?.()
      try {
        const name = emlName(envelope)
        if (await isThere(name)) return delivered(envelope, name)
        const staged = await stageFile(content(), folder, signal ? { signal } : {})
        try {
          await moveFile(staged.path, folder, { name })
        } finally {
          await staged.discard()
        }
        return delivered(envelope, name)
      } catch (error) {
        if (!isOfTheDisk(error)) throw error
        return notWritten(envelope, folder, error)
      }
    },
    wasSent: (envelope) => isThere(emlName(envelope)),
    async check() {
      await mkdir(folder, { recursive: true })
      await access(folder, constants.W_OK | constants.X_OK)
      return `Folder "${folder}" can be written.`
    },
    close: async () => {},
  }

  async function isThere(name: string): Promise<boolean> {
    return await stat(join(folder, name)).then(
      () => true,
      () => false,
    )
  }
}

/** `20261123T061500 Daily prices 3f9a2c1b7d.eml`; the time is UTC. */
export function emlName({ date, subject, messageId, round }: Envelope): string {
  const at = date.toISOString().replace(/[-:]|\.\d+Z/g, '')
  const key = createHash('sha256').update(`${messageId} ${round}`).digest('hex').slice(0, 10)
  const words = subject
    .replace(/[/\\:*?"<>|\p{Cc}]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  return safeFileName(`${at} ${[...words].slice(0, 80).join('').trim()} ${key}.eml`)
}

function delivered({ recipients }: Envelope, name: string): Delivery {
  const text = `written as ${name}`
  return {
    state: 'sent',
    recipients: recipients.map((address) => ({ address, state: 'sent', code: null, text })),
    response: text,
    error: null,
  }
}

function isOfTheDisk(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error
}

function notWritten({ recipients }: Envelope, folder: string, error: NodeJS.ErrnoException): Delivery {
  const text = error.message
  return {
    state: 'deferred',
    recipients: recipients.map((address) => ({ address, state: 'deferred', code: null, text })),
    response: null,
    error: new JobError('mail_folder_unwritable', `A mail cannot be written into folder "${folder}"`, {
      detail: text,
      hint: 'Let the worker write there, make room, or correct database_name in dba.connection.',
      cause: error,
    }),
  }
}
