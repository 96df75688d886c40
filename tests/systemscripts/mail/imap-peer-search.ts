import type { PeerFolder, PeerMessage } from './imap-peer.ts'

/** Whether a number is in a set such as `1:3,7,9:*`. */
export function isIn(set: string, uid: number, folder: PeerFolder): boolean {
  const newest = folder.messages.at(-1)?.uid ?? 0
  return set.split(',').some((range) => {
    const [from = 0, to = from] = range.split(':').map((text) => (text === '*' ? newest : Number(text)))
    return uid >= Math.min(from, to) && uid <= Math.max(from, to)
  })
}

/** What a SEARCH asks for, as far as the tests ask. */
export function searched(query: string, folder: PeerFolder): (message: PeerMessage) => boolean {
  const uids = /\bUID (\S+)/.exec(query)?.[1]
  const since = /\b(?:SENT)?SINCE "?([\w-]+)"?/.exec(query)?.[1]
  return ({ uid, flags, receivedAt }) =>
    !(/UNDELETED|NOT DELETED/.test(query) && flags.has('\\Deleted')) &&
    (uids === undefined || isIn(uids, uid, folder)) &&
    (since === undefined || receivedAt.getTime() >= Date.parse(`${since} UTC`))
}
