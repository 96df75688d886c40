import type { MessageHead } from '../message-head.ts'
import type { Attachment } from '../message-part.ts'
import { fieldValues } from '../mime/header-fields.ts'
import { authenticationOf } from './authentication-results.ts'
import { BLOCKED_BY_DEFAULT, blockedByName } from './blocked-types.ts'

/** What a message must prove before its attachments are taken. */
export interface TrustGate {
  /** `us@example.com`, `example.com` (that domain alone), `*.example.com` (those below it). Null: everybody. */
  allowedSenders: string[] | null
  /** By the receiving server's Authentication-Results; see authenticationOf. */
  requireAuthenticated: boolean
  /** authserv-id of the receiving server; null: the topmost field. */
  authenticationServer: string | null
  /** Groups and endings; see blocked-types.ts. Null: those of BLOCKED_BY_DEFAULT; empty: none. */
  blockedTypes: string[] | null
}

export interface GateRefusal {
  filter: 'allowed_senders' | 'require_authenticated' | 'blocked_types'
  reason: string
}

/** Why a message is not trusted; null when it is. By header and names; the bytes are judged once they are here: blockedByContent. */
export function gateRefusal(gate: TrustGate, head: MessageHead, picked: Attachment[]): GateRefusal | null {
  return senderRefusal(gate, head) ?? authenticationRefusal(gate, head) ?? nameRefusal(gate, picked)
}

/** Every address that the message claims as its sender must be allowed. */
function senderRefusal({ allowedSenders }: TrustGate, { from }: MessageHead): GateRefusal | null {
  if (allowedSenders === null) return null
  const stranger = from.find(({ address }) => !allowedSenders.some((allowed) => isAllowed(address, allowed)))
  if (from.length > 0 && stranger === undefined) return null
  return { filter: 'allowed_senders', reason: from.length === 0 ? 'it names no sender' : `sender "${stranger?.address}" is not allowed` }
}

function isAllowed(address: string, allowed: string): boolean {
  const word = allowed.trim().toLowerCase()
  const domain = address.slice(address.lastIndexOf('@') + 1)
  if (address === '' || word === '') return false
  if (word.startsWith('*.')) return domain.endsWith(word.slice(1))
  return word.indexOf('@') > 0 ? address === word : domain === word.replace(/^@/, '')
}

/** With several senders nothing can vouch for all of them. */
function authenticationRefusal(
  { requireAuthenticated, authenticationServer }: TrustGate,
  { from, fields }: MessageHead,
): GateRefusal | null {
  if (!requireAuthenticated) return null
  const sender = from[0]
  if (from.length !== 1 || sender === undefined || fieldValues(fields, 'from').length !== 1) {
    return { filter: 'require_authenticated', reason: `it names ${from.length} senders, so none can be proved` }
  }
  const { isAuthentic, found } = authenticationOf(fields, sender.address.slice(sender.address.lastIndexOf('@') + 1), authenticationServer)
  return isAuthentic ? null : { filter: 'require_authenticated', reason: `sender "${sender.address}" is not proved: ${found}` }
}

function nameRefusal({ blockedTypes }: TrustGate, picked: Attachment[]): GateRefusal | null {
  for (const { name } of picked) {
    const ending = blockedByName(name, blockedTypes ?? BLOCKED_BY_DEFAULT)
    if (ending !== null) return { filter: 'blocked_types', reason: `attachment "${name}" is of the blocked type ${ending}` }
  }
  return null
}
