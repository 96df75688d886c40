import { dispositionOf, type MessagePart } from '../message-part.ts'
import type { ImapValue } from './values.ts'

/**
 * A BODYSTRUCTURE as parts. Names stand in it as the server gives them. Source: RFC 3501, 7.4.2; where servers leave fields out, the
 * disposition is known by its shape.
 */
export function bodyPart(structure: ImapValue): MessagePart {
  return Array.isArray(structure) && Array.isArray(structure[0])
    ? multipart(structure, '')
    : singlePart(Array.isArray(structure) ? structure : [], '1')
}

/** @param partId its own number; empty at the root */
function multipart(structure: ImapValue[], partId: string): MessagePart {
  const bodies = structure.slice(
    0,
    structure.findIndex((value) => !Array.isArray(value)),
  )
  const after = structure.slice(bodies.length)
  return {
    ...partOf(`multipart/${text(after[0])}`, partId, null, after.slice(2)),
    children: bodies.map((body, index) => partBelow(body, `${partId === '' ? '' : `${partId}.`}${index + 1}`)),
  }
}

function partBelow(body: ImapValue, partId: string): MessagePart {
  if (!Array.isArray(body)) return singlePart([], partId)
  return Array.isArray(body[0]) ? multipart(body, partId) : singlePart(body, partId)
}

function singlePart(body: ImapValue[], partId: string): MessagePart {
  const [kind, subtype, parameters, contentId, , encoding, size] = body
  const type = `${text(kind) || 'text'}/${text(subtype) || 'plain'}`
  const isMessage = type === 'message/rfc822' && Array.isArray(body[8])
  const part = partOf(type, partId, parameters ?? null, body.slice(isMessage ? 10 : 7))
  return {
    ...part,
    contentId: (typeof contentId === 'string' ? contentId : '').replace(/^[\s<]+|[\s>]+$/g, '') || null,
    encoding: text(encoding) || '7bit',
    encodedBytes: typeof size === 'string' && /^\d+$/.test(size) ? Number(size) : null,
    children: isMessage ? [attached(body[8] ?? null, partId)] : [],
  }
}

/** An attached message that holds several parts shares its number with them; one of a single part is the first of it. */
function attached(body: ImapValue, partId: string): MessagePart {
  return Array.isArray(body) && Array.isArray(body[0]) ? multipart(body, partId) : partBelow(body, `${partId}.1`)
}

function partOf(type: string, partId: string, parameters: ImapValue, extension: ImapValue[]): MessagePart {
  const disposition = extension.find(isDisposition) ?? null
  const [word, dispositionParameters] = Array.isArray(disposition) ? disposition : []
  return {
    partId,
    type,
    charset: parameter(parameters, 'charset'),
    encoding: '7bit',
    disposition: dispositionOf(text(word)),
    fileName: parameter(dispositionParameters ?? null, 'filename') ?? parameter(parameters, 'name'),
    contentId: null,
    encodedBytes: null,
    boundary: null,
    children: [],
    stretch: null,
  }
}

/** `("attachment" ("filename" "a.csv"))` or `("inline" NIL)`. */
function isDisposition(value: ImapValue): boolean {
  return Array.isArray(value) && typeof value[0] === 'string' && value.length >= 2 && (value[1] === null || Array.isArray(value[1]))
}

/** Plain ones; those in pieces or encoded are read from the part's own header. */
function parameter(list: ImapValue, name: string): string | null {
  if (!Array.isArray(list)) return null
  for (let at = 0; at + 1 < list.length; at += 2) if (text(list[at]) === name) return raw(list[at + 1]) || null
  return null
}

function raw(value: ImapValue | undefined): string {
  return Buffer.isBuffer(value) ? value.toString('latin1') : typeof value === 'string' ? value : ''
}

function text(value: ImapValue | undefined): string {
  return raw(value).trim().toLowerCase()
}
