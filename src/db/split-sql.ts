/** One statement of a file. */
export interface Statement {
  /** Without the semicolon and without what stands before it. */
  text: string
  /** Line of its first character, from 1. */
  line: number
}

/**
 * The statements of an SQL text, in order. Semicolons inside strings, quoted names, dollar quotes, comments (which nest) and bodies
 * between `begin atomic` and `end` do not separate. Comments between statements belong to none; an empty text has no statements.
 *
 * Source: lexical rules of PostgreSQL, https://www.postgresql.org/docs/current/sql-syntax-lexical.html
 */
export function splitStatements(sql: string): Statement[] {
  const statements: Statement[] = []
  let start: number | null = null
  let depth = 0
  let previousWord = ''
  for (let at = 0; at < sql.length; ) {
    const token = readToken(sql, at)
    if (token.kind === 'end of statement' && depth === 0) {
      if (start !== null) statements.push(statementAt(sql, start, at))
      start = null
    } else if (token.kind !== 'gap') {
      start ??= at
    }
    if (token.kind === 'word') {
      const word = sql.slice(at, token.end).toLowerCase()
      if ((word === 'atomic' && previousWord === 'begin') || (depth > 0 && word === 'case')) depth += 1
      else if (depth > 0 && word === 'end') depth -= 1
      previousWord = word
    }
    at = token.end
  }
  if (start !== null) statements.push(statementAt(sql, start, sql.length))
  return statements
}

interface Token {
  kind: 'gap' | 'word' | 'other' | 'end of statement'
  /** Offset after its last character. */
  end: number
}

const gap = /\s+|--[^\n]*/y
const escapeString = /e'(?:[^'\\]|\\.|'')*'/isy
const quoted = /'(?:[^']|'')*'|"(?:[^"]|"")*"/y
const dollarTag = /\$(?:[a-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/iy
const word = /[a-z_\u0080-\uffff][\w$\u0080-\uffff]*/iy

function readToken(sql: string, at: number): Token {
  if (sql[at] === ';') return { kind: 'end of statement', end: at + 1 }
  if (sql.startsWith('/*', at)) return { kind: 'gap', end: endOfComment(sql, at) }
  const blank = endOf(gap, sql, at)
  if (blank !== null) return { kind: 'gap', end: blank }
  const text = endOf(escapeString, sql, at) ?? endOf(quoted, sql, at)
  if (text !== null) return { kind: 'other', end: text }
  const tag = endOf(dollarTag, sql, at)
  if (tag !== null) {
    const close = sql.indexOf(sql.slice(at, tag), tag)
    return { kind: 'other', end: close === -1 ? sql.length : close + tag - at }
  }
  const name = endOf(word, sql, at)
  if (name !== null) return { kind: 'word', end: name }
  return { kind: 'other', end: at + 1 }
}

function endOf(pattern: RegExp, sql: string, at: number): number | null {
  pattern.lastIndex = at
  return pattern.test(sql) ? pattern.lastIndex : null
}

function endOfComment(sql: string, at: number): number {
  let depth = 0
  for (let i = at; i < sql.length; i += 1) {
    if (sql.startsWith('/*', i)) {
      depth += 1
      i += 1
    } else if (sql.startsWith('*/', i)) {
      depth -= 1
      i += 1
      if (depth === 0) return i + 1
    }
  }
  return sql.length
}

function statementAt(sql: string, start: number, end: number): Statement {
  return { text: sql.slice(start, end).trimEnd(), line: lineAt(sql, start) }
}

/** The line of an offset, from 1. */
export function lineAt(text: string, offset: number): number {
  let line = 1
  for (let i = text.indexOf('\n'); i !== -1 && i < offset; i = text.indexOf('\n', i + 1)) line += 1
  return line
}
