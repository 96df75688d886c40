import type { ImapFlow } from 'imapflow'
import type { MessageAction } from '../mailbox.ts'
import type { MessageRef } from '../message-head.ts'
import { commandRefusal, renumbered } from './refusals.ts'
import type { ImapSession } from './session.ts'

/** See Mailbox.act. A label is Gmail's where the server knows them, else a keyword; where the server keeps none, the message is moved. */
export async function actOnMessage(session: ImapSession, ref: MessageRef, action: MessageAction): Promise<string | null> {
  if (action.kind === 'leave') return 'left as it was'
  await openToWrite(session, ref)
  const found = await session.doing('looking for a message', (client) =>
    client.fetchOne(ref.uid, { uid: true, flags: true }, { uid: true }),
  )
  if (!found) return null
  if (action.kind === 'mark_read') return setFlag(session, ref, '\\Seen', 'marked as read')
  if (action.kind === 'flag') return setFlag(session, ref, '\\Flagged', 'flagged')
  const label = action.label ?? 'Processed'
  return action.kind === 'label' ? addLabel(session, ref, label) : move(session, ref, label)
}

async function openToWrite(session: ImapSession, { folder, uidValidity }: MessageRef): Promise<void> {
  const box = await session.open(folder, 'write')
  if (String(box.uidValidity) !== uidValidity) throw renumbered(folder)
}

async function setFlag(session: ImapSession, ref: MessageRef, flag: string, done: string, useLabels = false): Promise<string> {
  const options = { uid: true, useLabels }
  const isSet = await session.doing('marking a message', (client) => client.messageFlagsAdd(ref.uid, [flag], options))
  if (!isSet) throw commandRefusal(new Error(`the server did not take "${flag}"`), 'marking a message')
  return done
}

async function addLabel(session: ImapSession, ref: MessageRef, label: string): Promise<string> {
  const { client } = session
  if (client.capabilities.has('X-GM-EXT-1')) return setFlag(session, ref, label, `labelled "${label}"`, true)
  const keyword = label.replace(/[^\w$.-]+/g, '_')
  const allowed = client.mailbox ? client.mailbox.permanentFlags : undefined
  if (allowed === undefined || allowed.has('\\*') || allowed.has(keyword))
    return setFlag(session, ref, keyword, `given the keyword "${keyword}"`)
  return move(session, ref, label)
}

async function move(session: ImapSession, ref: MessageRef, folder: string): Promise<string> {
  const path = await session.ensureFolder(folder)
  await openToWrite(session, ref)
  if (session.client.mailbox && session.client.mailbox.path === path) return `is in "${path}"`
  const isDone = await session.doing(`moving a message to "${path}"`, (client) => moveSafely(client, ref.uid, path))
  if (!isDone) throw commandRefusal(new Error('the server refused it'), `moving a message to "${path}"`)
  return `moved to "${path}"`
}

/** A server with neither MOVE nor UIDPLUS could only expunge all that others have marked as deleted: there the copied message is just marked. */
async function moveSafely(client: ImapFlow, uid: string, path: string): Promise<boolean> {
  const isSafe = client.capabilities.has('MOVE') || client.capabilities.has('UIDPLUS') || client.capabilities.has('IMAP4rev2')
  if (isSafe) return Boolean(await client.messageMove(uid, path, { uid: true }))
  return Boolean(await client.messageCopy(uid, path, { uid: true })) && client.messageFlagsAdd(uid, ['\\Deleted'], { uid: true })
}
