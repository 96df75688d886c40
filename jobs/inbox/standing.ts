import type { KnownMail } from '../../src/job/mails.ts'
import type { MessageHead } from '../../systemscripts/mail/message-head.ts'

/** What is to become of a mail that was met, after what the ledger knows of it. */
export type Standing =
  | { kind: 'skip' }
  /** `messageId` null: it is new. */
  | { kind: 'judge'; messageId: number | null }
  /** Dealt with before; only its number is another one now. */
  | { kind: 'relocate'; messageId: number }
  /** A copy of one that was dealt with. */
  | { kind: 'copy'; of: KnownMail }

/**
 * Pure. A mail is known by its fingerprint, wherever it lies and whatever its number is; one that was never taken may be taken where it is met.
 *
 * @param known rows with its fingerprint
 * @param foundIn the folder that is looked into
 * @param isAnew mails that were left alone are judged again
 */
export function standingOf({ ref }: MessageHead, known: KnownMail[], foundIn: string, isAnew: boolean): Standing {
  const here = known.find((mail) => mail.folder === ref.folder && mail.uidValidity === ref.uidValidity && mail.uid === ref.uid)
  if (here !== undefined) {
    return here.state === 'gone' || (here.state === 'unmatched' && isAnew) ? { kind: 'judge', messageId: here.messageId } : { kind: 'skip' }
  }
  const renumbered = known.find((mail) => mail.foundIn === foundIn && mail.folder === ref.folder && mail.uidValidity !== ref.uidValidity)
  if (renumbered !== undefined) {
    const isOpen = ['unmatched', 'gone', 'saving', 'retry'].includes(renumbered.state)
    return { kind: isOpen ? 'judge' : 'relocate', messageId: renumbered.messageId }
  }
  const gone = known.find(({ state }) => state === 'gone')
  if (gone !== undefined) return { kind: 'judge', messageId: gone.messageId }
  const taken = known.find(({ state }) => state !== 'unmatched' && state !== 'duplicate')
  return taken === undefined ? { kind: 'judge', messageId: null } : { kind: 'copy', of: taken }
}
