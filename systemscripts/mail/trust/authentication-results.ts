import { fieldValues, type HeaderField } from '../mime/header-fields.ts'
import { headerText } from '../mime/header-text.ts'

/** What the receiving server found out about who sent a message. */
export interface Authentication {
  isAuthentic: boolean
  /** In words: `dmarc=pass for example.com`. */
  found: string
}

interface MethodResult {
  method: string
  result: string
  /** By name: `header.d`, `smtp.mailfrom` … */
  properties: Map<string, string>
}

/**
 * Judges a message by the Authentication-Results field of the server that received it. Only the topmost field of that server counts: it writes
 * its own above all that came with the message, so what a sender forged stands lower. Authentic is what DMARC passes; or, where DMARC says
 * nothing, what a DKIM signature or SPF passes for the very domain of the sender, or one above or below it.
 *
 * Source: RFC 8601 (field), RFC 7489, 3.1 (alignment).
 *
 * @param fromDomain domain of the From address
 * @param server authserv-id that the receiving server writes. Null: the topmost field counts, whoever it names; for a server that always
 *   writes one and takes foreign ones out, as Microsoft 365 does, which writes no id.
 */
export function authenticationOf(fields: HeaderField[], fromDomain: string, server: string | null): Authentication {
  const all = fieldValues(fields, 'authentication-results').map(parseResults)
  const own = server === null ? all[0] : all.find(({ id }) => id === server.trim().toLowerCase())
  if (own === undefined) {
    const others = all.map(({ id }) => `"${id}"`).join(', ')
    const from = server === null ? '' : ` of "${server}"`
    return { isAuthentic: false, found: `no Authentication-Results${from}${others === '' ? '' : `, only of ${others}`}` }
  }
  return judge(own.results, fromDomain)
}

function judge(results: MethodResult[], domain: string): Authentication {
  const dmarc = results.find(({ method }) => method === 'dmarc')
  if (dmarc && isOf(dmarc.properties.get('header.from') ?? domain, domain)) {
    if (dmarc.result === 'pass') return { isAuthentic: true, found: `dmarc=pass for ${domain}` }
    if (!/^(none|bestguesspass|temperror)$/.test(dmarc.result)) return { isAuthentic: false, found: `dmarc=${dmarc.result}` }
  }
  const dkim = results.find(
    ({ method, result, properties }) =>
      method === 'dkim' && result === 'pass' && isOf(domainOf(properties.get('header.d') ?? properties.get('header.i')), domain),
  )
  if (dkim) return { isAuthentic: true, found: `dkim=pass for ${domain}` }
  const spf = results.find(
    ({ method, result, properties }) => method === 'spf' && result === 'pass' && isOf(domainOf(properties.get('smtp.mailfrom')), domain),
  )
  if (spf) return { isAuthentic: true, found: `spf=pass for ${domain}` }
  const seen = results.map(({ method, result, properties }) => `${method}=${result}${ofWhom(properties)}`).join(', ')
  return { isAuthentic: false, found: seen === '' ? 'nothing was checked' : seen }
}

function ofWhom(properties: Map<string, string>): string {
  const domain = properties.get('header.d') ?? properties.get('smtp.mailfrom') ?? properties.get('header.from')
  return domain === undefined ? '' : ` (${domain})`
}

function domainOf(text: string | undefined): string {
  return (text ?? '').replace(/^.*@/, '').toLowerCase()
}

/** The same domain, or one below the other; a top-level domain alone is nobody's. */
function isOf(domain: string, other: string): boolean {
  const [left, right] = [domain.toLowerCase(), other.toLowerCase()]
  if (!left.includes('.') || !right.includes('.')) return false
  return left === right || left.endsWith(`.${right}`) || right.endsWith(`.${left}`)
}

/** `mx.example.org 1; dkim=pass header.d=example.com; spf=fail …`. Microsoft's has no id. */
function parseResults(raw: string): { id: string; results: MethodResult[] } {
  const [first = '', ...rest] = splitAtSemicolons(withoutComments(headerText(raw)))
  const hasId = !first.includes('=')
  const id = hasId ? (first.trim().split(/\s+/)[0] ?? '').toLowerCase() : ''
  return { id, results: (hasId ? rest : [first, ...rest]).flatMap(parseMethod) }
}

function parseMethod(text: string): MethodResult[] {
  const match = /^\s*([\w-]+)(?:\s*\/\s*\d+)?\s*=\s*([\w-]+)/.exec(text)
  if (match === null) return []
  const properties = new Map<string, string>()
  for (const [, name = '', quoted, bare] of text.slice(match[0].length).matchAll(/([\w-]+\.[\w-]+)\s*=\s*(?:"([^"]*)"|([^\s;]+))/g)) {
    if (!properties.has(name.toLowerCase())) properties.set(name.toLowerCase(), quoted ?? bare ?? '')
  }
  return [{ method: (match[1] ?? '').toLowerCase(), result: (match[2] ?? '').toLowerCase(), properties }]
}

/** Comments nest and may hold semicolons; quotes may hold parentheses. */
function withoutComments(text: string): string {
  let kept = ''
  let depth = 0
  let isQuoted = false
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? ''
    if (character === '\\') {
      if (depth === 0) kept += text.slice(at, at + 2)
      at += 1
    } else if (character === '"' && depth === 0) {
      isQuoted = !isQuoted
      kept += character
    } else if (character === '(' && !isQuoted) depth += 1
    else if (character === ')' && depth > 0) depth -= 1
    else if (depth === 0) kept += character
  }
  return kept
}

function splitAtSemicolons(text: string): string[] {
  return text.match(/(?:"[^"]*"|[^;"]|")+/g) ?? []
}
