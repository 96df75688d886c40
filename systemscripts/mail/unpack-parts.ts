import { isTnef, type MessagePart } from './message-part.ts'
import { walkMessage } from './mime/walk-message.ts'
import { type OpenEncoded, openPart } from './open-part.ts'
import { partsOfTnef, tnefFiles } from './tnef.ts'

const DEEPEST = 4

/**
 * Adds below winmail.dat, and below attached messages that came encoded, what is in them; each is read through once. What cannot be unpacked
 * stays the file that it is.
 */
export async function unpackParts(root: MessagePart, openEncoded: OpenEncoded, depth = 0): Promise<void> {
  if (root.children.length === 0 && depth < DEEPEST) {
    if (isTnef(root)) root.children = partsOfTnef(root, (await tnefFiles(openPart(root, openEncoded))) ?? [])
    else if (root.type === 'message/rfc822') root.children = [await walkMessage(openPart(root, openEncoded), root)]
    if (root.children.length > 0) {
      for (const child of root.children) await unpackParts(child, openEncoded, depth + 1)
      return
    }
  }
  for (const child of root.children) await unpackParts(child, openEncoded, depth)
}

/** Whether unpackParts would have something to read. */
export function needsUnpacking(root: MessagePart): boolean {
  return (root.children.length === 0 && (isTnef(root) || root.type === 'message/rfc822')) || root.children.some(needsUnpacking)
}
