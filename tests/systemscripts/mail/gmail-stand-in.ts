import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { attachmentsOf, type MessagePart } from '../../../systemscripts/mail/message-part.ts'
import { headerFields } from '../../../systemscripts/mail/mime/header-fields.ts'
import { walkMessage } from '../../../systemscripts/mail/mime/walk-message.ts'
import { openPart, stretchOf } from '../../../systemscripts/mail/open-part.ts'
import { collect, inPieces } from './make-mail.ts'

export interface StandInMessage {
  id: string
  raw: Buffer
  labelIds: string[]
  receivedAt: Date
  historyId: number
}

export interface GmailStandIn {
  url: string
  tokenUrl: string
  labels: { id: string; name: string }[]
  messages: StandInMessage[]
  /** `GET /gmail/v1/…` as they came, without the address of the server. */
  requests: string[]
  tokenRequests: URLSearchParams[]
  /** Answers for the next requests that fit, before anything else. */
  failures: { path: RegExp; method?: string; status: number; body?: unknown; headers?: Record<string, string>; meanwhile?: () => void }[]
  /** History before this is forgotten. */
  oldestHistoryId: number
  pageSize: number
  add(raw: Buffer, labelIds?: string[], receivedAt?: Date): StandInMessage
}

/**
 * An HTTP server that answers as the Gmail API does, after Google's published reference (users.messages, users.history, users.labels,
 * users.getProfile, error bodies), with paging, and a token endpoint.
 */
export async function startGmailStandIn(t: { after(end: () => Promise<void>): void }): Promise<GmailStandIn> {
  const server = createServer((request, response) => void answer(state, request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/`
  const state: GmailStandIn = {
    url,
    tokenUrl: `${url}token`,
    labels: ['INBOX', 'UNREAD', 'STARRED', 'SPAM'].map((name) => ({ id: name, name })),
    messages: [],
    requests: [],
    tokenRequests: [],
    failures: [],
    oldestHistoryId: 0,
    pageSize: 100,
    add: (raw, labelIds = ['INBOX', 'UNREAD'], receivedAt = new Date()) => {
      const message = {
        id: `18f${(state.messages.length + 1).toString(16).padStart(13, '0')}`,
        raw,
        labelIds,
        receivedAt,
        historyId: historyIdOf(state) + 1,
      }
      state.messages.push(message)
      return message
    },
  }
  t.after(async () => {
    server.closeAllConnections()
    server.close()
  })
  return state
}

function historyIdOf({ messages }: GmailStandIn): number {
  return Math.max(1000, ...messages.map(({ historyId }) => historyId))
}

async function answer(state: GmailStandIn, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', state.url)
  const body = (await collect(request)).toString()
  state.requests.push(`${request.method} ${url.pathname}${url.search}`)
  const failure = state.failures.find(({ path, method }) => path.test(url.pathname) && (method ?? request.method) === request.method)
  if (failure) {
    state.failures.splice(state.failures.indexOf(failure), 1)
    failure.meanwhile?.()
    return send(response, failure.status, failure.body ?? errorBody(failure.status, 'error'), failure.headers)
  }
  if (url.pathname === '/token') {
    state.tokenRequests.push(new URLSearchParams(body))
    return send(response, 200, {
      access_token: 'ya29.token',
      expires_in: 3599,
      token_type: 'Bearer',
      scope: 'x',
      refresh_token: '1//refresh',
    })
  }
  if (request.headers.authorization !== 'Bearer ya29.token') return send(response, 401, errorBody(401, 'authError'))
  const path = url.pathname.replace('/gmail/v1/users/me/', '')
  const [kind, id, action, attachmentId] = path.split('/')
  if (path === 'profile') return send(response, 200, { emailAddress: 'us@example.org', historyId: String(historyIdOf(state)) })
  if (path === 'labels' && request.method === 'POST') return send(response, ...createLabel(state, JSON.parse(body)))
  if (path === 'labels') return send(response, 200, { labels: state.labels })
  if (path === 'messages') return send(response, 200, paged(state, url, 'messages', listed(state, url)))
  if (path === 'history') return send(response, ...history(state, url))
  const message = state.messages.find((each) => each.id === id)
  if (kind !== 'messages' || message === undefined)
    return send(response, 404, errorBody(404, 'notFound', 'Requested entity was not found.'))
  if (action === 'modify') return send(response, 200, modified(message, JSON.parse(body)))
  if (action === 'attachments') return send(response, 200, await attachmentBody(message, attachmentId ?? ''))
  return send(response, 200, await messageBody(message, url.searchParams.get('format') ?? 'full'))
}

function send(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=UTF-8', ...headers })
  response.end(JSON.stringify(body, null, 2).replaceAll('=', '\\u003d'))
}

/** As in developers.google.com/workspace/gmail/api/guides/handle-errors. */
export function errorBody(code: number, reason: string, message = reason): unknown {
  return { error: { code, message, errors: [{ message, domain: 'global', reason }], status: reason.toUpperCase() } }
}

function createLabel(state: GmailStandIn, { name }: { name: string }): [number, unknown] {
  if (state.labels.some((label) => label.name.toLowerCase() === name.toLowerCase())) {
    return [409, errorBody(409, 'aborted', 'Label name exists or conflicts')]
  }
  const label = { id: `Label_${state.labels.length}`, name }
  state.labels.push(label)
  return [200, label]
}

function listed(state: GmailStandIn, url: URL): { id: string; threadId: string }[] {
  const labelIds = url.searchParams.getAll('labelIds')
  const after = Number(/after:(\d+)/.exec(url.searchParams.get('q') ?? '')?.[1] ?? 0) * 1000
  return state.messages
    .filter((message) => labelIds.every((id) => message.labelIds.includes(id)) && message.receivedAt.getTime() >= after)
    .map(({ id }) => ({ id, threadId: id }))
    .reverse()
}

function paged(state: GmailStandIn, url: URL, name: string, items: unknown[]): object {
  const from = Number(url.searchParams.get('pageToken') ?? 0)
  const page = items.slice(from, from + state.pageSize)
  return {
    ...(page.length > 0 ? { [name]: page } : {}),
    ...(from + state.pageSize < items.length ? { nextPageToken: String(from + state.pageSize) } : {}),
    resultSizeEstimate: items.length,
  }
}

function history(state: GmailStandIn, url: URL): [number, unknown] {
  const start = Number(url.searchParams.get('startHistoryId'))
  if (start < state.oldestHistoryId) return [404, errorBody(404, 'notFound', 'Requested entity was not found.')]
  const labelId = url.searchParams.get('labelId') ?? ''
  const items = state.messages
    .filter((message) => message.historyId > start && message.labelIds.includes(labelId))
    .map(({ id, labelIds, historyId }) => ({
      id: String(historyId),
      messages: [{ id, threadId: id }],
      messagesAdded: [{ message: { id, threadId: id, labelIds } }],
    }))
  return [200, { ...paged(state, url, 'history', items), historyId: String(historyIdOf(state)) }]
}

function modified(message: StandInMessage, change: { addLabelIds?: string[]; removeLabelIds?: string[] }): object {
  message.labelIds = [...new Set([...message.labelIds, ...(change.addLabelIds ?? [])])].filter((id) => !change.removeLabelIds?.includes(id))
  return { id: message.id, threadId: message.id, labelIds: message.labelIds }
}

async function messageBody(message: StandInMessage, format: string): Promise<object> {
  const { id, labelIds, raw, receivedAt, historyId } = message
  const facts = {
    id,
    threadId: id,
    labelIds,
    snippet: '',
    sizeEstimate: raw.length,
    historyId: String(historyId),
    internalDate: String(receivedAt.getTime()),
  }
  if (format === 'minimal') return facts
  if (format === 'raw') return { ...facts, raw: base64url(raw) }
  const root = await walkMessage(inPieces(raw, 5000))
  const payload = await payloadOf(message, root, raw, '')
  return { ...facts, payload: format === 'metadata' ? { mimeType: root.type, headers: payload.headers } : payload }
}

/** Google pads base64url. */
function base64url(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_')
}

interface Payload {
  partId: string
  mimeType: string
  filename: string
  headers: { name: string; value: string }[]
  body: { size: number; data?: string; attachmentId?: string }
  parts?: Payload[]
}

async function payloadOf(message: StandInMessage, part: MessagePart, header: Buffer, partId: string): Promise<Payload> {
  const open = (_: MessagePart | null, range = { start: 0, end: message.raw.length }) => stretchOf(inPieces(message.raw, 5000), range)
  const below = (index: number): string => (partId === '' ? String(index) : `${partId}.${index}`)
  const isMultipart = part.type.startsWith('multipart/')
  const content = isMultipart ? Buffer.alloc(0) : await collect(openPart(part, open))
  const isFile = attachmentsOf({ ...part, children: [] }).length > 0
  // An attached message that holds several parts shows those, not the root around them.
  const children = part.type === 'message/rfc822' ? (part.children[0]?.children ?? []) : part.children
  return {
    partId,
    mimeType: part.type,
    filename: part.fileName ?? '',
    headers: headerFields(header === message.raw ? header : headerBefore(message.raw, part)).map(({ name, value }) => ({
      name,
      value: Buffer.from(value, 'latin1').toString('utf8'),
    })),
    body: { size: content.length, ...(isMultipart ? {} : isFile ? { attachmentId: `ANGjd${part.partId}` } : { data: base64url(content) }) },
    ...(children.length > 0
      ? { parts: await Promise.all(children.map((child, index) => payloadOf(message, child, Buffer.alloc(0), below(index)))) }
      : {}),
  }
}

function headerBefore(raw: Buffer, part: MessagePart): Buffer {
  const end = part.stretch?.start ?? 0
  const line = raw.lastIndexOf('\n--', end)
  return raw.subarray(raw.indexOf('\n', line + 1) + 1, end)
}

async function attachmentBody(message: StandInMessage, attachmentId: string): Promise<object> {
  const root = await walkMessage(inPieces(message.raw, 5000))
  const open = (_: MessagePart | null, range = { start: 0, end: message.raw.length }) => stretchOf(inPieces(message.raw, 5000), range)
  const part = attachmentsOf(root).find((each) => `ANGjd${each.part.partId}` === attachmentId)?.part
  const content = part ? await collect(openPart(part, open)) : Buffer.alloc(0)
  return { size: content.length, data: base64url(content) }
}
