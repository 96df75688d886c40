import type { gmail_v1 } from '@googleapis/gmail'
import { PermanentError } from '../../errors.ts'
import { folderMissing } from '../imap/refusals.ts'
import { type CallOptions, callGmail } from './call.ts'

export interface GmailLabels {
  names(): Promise<string[]>
  /** @throws PermanentError `mail_folder_missing` */
  idOf(name: string): Promise<string>
  /** Makes it when missing; several may do so at once. */
  ensure(name: string): Promise<string>
}

/** Labels by name, in any case; Google's own (`INBOX`, `SPAM`) too. */
export function gmailLabels(gmail: gmail_v1.Gmail, options: CallOptions): GmailLabels {
  let known: gmail_v1.Schema$Label[] | null = null
  return { names: async () => (await list()).map(({ name }) => name ?? ''), idOf, ensure }

  async function list(): Promise<gmail_v1.Schema$Label[]> {
    const answer = await callGmail('listing labels', () => gmail.users.labels.list({ userId: 'me' }, { retry: false }), options)
    known = answer?.data.labels ?? []
    return known
  }

  async function find(name: string): Promise<string | null> {
    const wanted = (name.trim() || 'INBOX').toLowerCase()
    const isIt = (label: gmail_v1.Schema$Label): boolean => label.name?.toLowerCase() === wanted || label.id?.toLowerCase() === wanted
    return known?.find(isIt)?.id ?? (await list()).find(isIt)?.id ?? null
  }

  async function idOf(name: string): Promise<string> {
    const id = await find(name)
    if (id === null) throw folderMissing(name, known?.map((label) => label.name ?? '') ?? [])
    return id
  }

  async function ensure(name: string): Promise<string> {
    const id = await find(name)
    if (id !== null) return id
    const requestBody = { name, labelListVisibility: 'labelShow', messageListVisibility: 'show' }
    try {
      const made = await callGmail(
        'making a label',
        () => gmail.users.labels.create({ userId: 'me', requestBody }, { retry: false }),
        options,
      )
      known = null
      return made?.data.id ?? (await idOf(name))
    } catch (error) {
      // Another worker was faster.
      if (!(error instanceof PermanentError) || !/409/.test(error.detail ?? '')) throw error
      known = null
      return idOf(name)
    }
  }
}
