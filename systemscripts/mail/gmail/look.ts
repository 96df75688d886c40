import type { gmail_v1 } from '@googleapis/gmail'
import { ANEW_DAYS, type Look, type LookOptions } from '../mailbox.ts'
import { type CallOptions, callGmail } from './call.ts'
import type { GmailLabels } from './labels.ts'

const DAY_MS = 24 * 60 * 60 * 1000
/** The most that Google gives on one page. */
const PAGE = 500

/**
 * See Mailbox.look: by what changed since the last look, or, where Google no longer knows (about a week) or there was none, by a query. All
 * pages of either are read.
 */
export async function lookIntoLabel(
  gmail: gmail_v1.Gmail,
  labels: GmailLabels,
  folder: string,
  { since, notBefore, lookBackDays }: LookOptions,
  options: CallOptions,
): Promise<Look> {
  const labelId = await labels.idOf(folder)
  const profile = await callGmail('reading the profile', () => gmail.users.getProfile({ userId: 'me' }, { retry: false }), options)
  const account = profile?.data.emailAddress ?? ''
  const cursor = { uidValidity: account, uid: profile?.data.historyId ?? '0', witnessKey: null, lookedAt: new Date().toISOString() }
  const query = (from: Date | null | undefined): Promise<string[]> => queried(gmail, labelId, later(from, notBefore), options)
  const found = (ids: string[], startedAnew: string | null): Look => ({
    refs: [...new Set(ids)].map((uid) => ({ folder, uidValidity: account, uid })),
    cursor,
    startedAnew,
  })
  if (since === null) return found(await query(null), null)
  const anew = new Date(Date.parse(since.lookedAt) - ANEW_DAYS * DAY_MS)
  if (since.uidValidity !== account) return found(await query(anew), `the mailbox is now that of ${account}, before ${since.uidValidity}`)
  const changed = await changedSince(gmail, labelId, since.uid, options)
  if (changed === null) return found(await query(anew), `Google no longer knows what changed since ${since.lookedAt}`)
  const again = lookBackDays ? await query(new Date(Date.now() - lookBackDays * DAY_MS)) : []
  return found([...again, ...changed], null)
}

function later(left: Date | null | undefined, right: Date | null | undefined): Date | null {
  if (!left || !right) return left ?? right ?? null
  return left > right ? left : right
}

/** Ids of messages with the label, oldest first. */
async function queried(gmail: gmail_v1.Gmail, labelId: string, from: Date | null, options: CallOptions): Promise<string[]> {
  const ids: string[] = []
  let pageToken: string | null = null
  do {
    const page: { data: gmail_v1.Schema$ListMessagesResponse } | null = await callGmail(
      'listing messages',
      () =>
        gmail.users.messages.list(
          {
            userId: 'me',
            labelIds: [labelId],
            maxResults: PAGE,
            ...(from === null ? {} : { q: `after:${Math.floor(from.getTime() / 1000)}` }),
            ...(pageToken === null ? {} : { pageToken }),
          },
          { retry: false },
        ),
      options,
    )
    ids.push(...(page?.data.messages ?? []).flatMap(({ id }) => id ?? []))
    pageToken = page?.data.nextPageToken ?? null
  } while (pageToken !== null)
  return ids.reverse()
}

/** Ids of messages that came or were given the label; null when Google has forgotten that far back. */
async function changedSince(gmail: gmail_v1.Gmail, labelId: string, historyId: string, options: CallOptions): Promise<string[] | null> {
  const ids: string[] = []
  let pageToken: string | null = null
  do {
    const page: { data: gmail_v1.Schema$ListHistoryResponse } | null = await callGmail(
      'reading what changed',
      () =>
        gmail.users.history.list(
          {
            userId: 'me',
            startHistoryId: historyId,
            labelId,
            historyTypes: ['messageAdded', 'labelAdded'],
            maxResults: PAGE,
            ...(pageToken === null ? {} : { pageToken }),
          },
          { retry: false },
        ),
      options,
    )
    if (page === null) return null
    for (const { messagesAdded, labelsAdded } of page.data.history ?? []) {
      ids.push(...[...(messagesAdded ?? []), ...(labelsAdded ?? [])].flatMap(({ message }) => message?.id ?? []))
    }
    pageToken = page.data.nextPageToken ?? null
  } while (pageToken !== null)
  return ids
}
