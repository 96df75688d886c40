import { partOfHeader } from '../../../systemscripts/mail/message-part.ts'
import { headerFields } from '../../../systemscripts/mail/mime/header-fields.ts'
import type { PeerFolder, PeerMessage, PeerOptions } from './imap-peer.ts'

/** One untagged FETCH answer of the peer, with everything as literals. */
export function peerFetch(message: PeerMessage, folder: PeerFolder, query: string, options: PeerOptions): Buffer {
  const items: (string | Buffer)[] = [`UID ${message.uid}`]
  if (/\bRFC822\.SIZE\b/.test(query)) items.push(`RFC822.SIZE ${message.raw.length}`)
  if (/\bFLAGS\b/.test(query)) items.push(`FLAGS (${[...message.flags].join(' ')})`)
  if (/\bINTERNALDATE\b/.test(query)) items.push(`INTERNALDATE "${internalDate(message.receivedAt)}"`)
  if (/\bBODYSTRUCTURE\b/.test(query)) items.push(`BODYSTRUCTURE ${structure(nodeOf(message.raw))}`)
  for (const [, section = '', start, length] of query.matchAll(/BODY\.PEEK\[([^\]]*)\](?:<(\d+)\.(\d+)>)?/g)) {
    const all = sectionOf(message.raw, section)
    const isPiece = start !== undefined && !options.ignoresPieces
    const bytes = isPiece ? all.subarray(Number(start), Number(start) + Number(length)) : all
    items.push(Buffer.concat([Buffer.from(`BODY[${section}]${start === undefined ? '' : `<${start}>`} {${bytes.length}}\r\n`), bytes]))
  }
  const seq = folder.messages.indexOf(message) + 1
  const joined = items.flatMap((item, index) => [Buffer.from(index === 0 ? '' : ' '), Buffer.from(item)])
  return Buffer.concat([Buffer.from(`* ${seq} FETCH (`), ...joined, Buffer.from(')\r\n')])
}

function internalDate(date: Date): string {
  const [, day, month, year, time] = /, (\d+) (\w+) (\d+) ([\d:]+)/.exec(date.toUTCString()) ?? []
  return `${day}-${month}-${year} ${time} +0000`
}

/** A simple reader of its own: one level of CRLF lines, as the tests write them. */
interface Node {
  header: Buffer
  body: Buffer
  children: Node[]
}

function nodeOf(raw: Buffer): Node {
  const end = raw.indexOf('\r\n\r\n')
  const header = raw.subarray(0, end + 4)
  const body = raw.subarray(end + 4)
  const boundary = partOfHeader(headerFields(header), '').boundary
  if (!boundary) return { header, body, children: [] }
  const pieces = `\r\n${body.toString('latin1')}`.split(`\r\n--${boundary}`).slice(1, -1)
  return { header, body, children: pieces.map((piece) => nodeOf(Buffer.from(piece.slice(2), 'latin1'))) }
}

function sectionOf(raw: Buffer, section: string): Buffer {
  const root = nodeOf(raw)
  if (section === '') return raw
  if (section === 'HEADER') return root.header
  if (section === 'TEXT') return root.body
  const [, numbers = '', mime] = /^([\d.]+?)(\.MIME)?$/.exec(section) ?? []
  let node: Node | undefined = root
  for (const number of numbers.split('.')) node = node?.children[Number(number) - 1] ?? (number === '1' && node === root ? root : undefined)
  if (node === undefined) return Buffer.alloc(0)
  return mime ? node.header : node.body
}

function structure({ header, body, children }: Node): string {
  const { type, charset, encoding, fileName, disposition } = partOfHeader(headerFields(header), '')
  const [kind = 'TEXT', subtype = 'PLAIN'] = type.split('/')
  if (children.length > 0) return `(${children.map(structure).join('')} "${subtype}" NIL NIL NIL NIL)`
  const name = fileName?.replace(/[^\x20-\x7e]/g, '?').replaceAll('"', '')
  const parameters = [...(charset ? [`"charset" "${charset}"`] : []), ...(name ? [`"name" "${name}"`] : [])]
  const lines = kind === 'text' ? ` ${body.toString('latin1').split('\r\n').length}` : ''
  const list = parameters.length === 0 ? 'NIL' : `(${parameters.join(' ')})`
  return `("${kind}" "${subtype}" ${list} NIL NIL "${encoding}" ${body.length}${lines} NIL ${disposition ? `("${disposition}" NIL)` : 'NIL'} NIL NIL)`
}
