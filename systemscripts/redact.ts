/** Keeps secrets out of what is written. It learns every value that was handed out and masks it wherever it turns up. */
export interface Redactor {
  /** From now on this value is masked. Values under 4 characters are not: they would blot out ordinary words. */
  learn(secret: string): void
  /** The text without secrets, and without passwords in addresses. */
  text(text: string): string
  /** The same for every text, key and number inside a value; the result can be written as JSON. */
  data(value: unknown): unknown
}

/** Masks plain, URL-encoded, base64, hexadecimal and JSON-escaped forms, and each line of a value of several lines. */
export function createRedactor(): Redactor {
  const forms = new Set<string>()
  let pattern: RegExp | null = null

  const mask = (text: string): string => {
    pattern ??= forms.size === 0 ? nothing : alternatives(forms)
    return maskAddresses(text.replace(pattern, masked))
  }
  return {
    learn(secret) {
      const before = forms.size
      for (const form of formsOf(secret)) forms.add(form)
      if (forms.size !== before) pattern = null
    },
    text: mask,
    data: (value) => maskInside(value, mask, []),
  }
}

/** Masks the password of every address (`scheme://user:password@host`) and of every `password=…` in a text. */
export function maskAddresses(text: string): string {
  return text
    .replace(/([a-z][a-z0-9+.-]*:\/\/[^\s:/?#@]*):[^\s/?#]*@/gi, `$1:${masked}@`)
    .replace(/\b(password|passwd|pwd)\s*=\s*('[^']*'|"[^"]*"|[^\s;&,]+)/gi, `$1=${masked}`)
}

const masked = '***'
const nothing = /(?!)/g
const shortest = 4
/** Lines of a key or certificate; shorter ones are words. */
const shortestLine = 16

function formsOf(secret: string): string[] {
  if (secret.length < shortest) return []
  const lines = secret.split(/\r?\n/).filter((line) => line.length >= shortestLine && !line.startsWith('-----'))
  const plain = secret.includes('\n') ? [secret, secret.trim(), ...lines] : [secret]
  return plain.flatMap((text) => [
    text,
    ...urlForms(text),
    ...base64Forms(text),
    Buffer.from(text).toString('hex'),
    JSON.stringify(text).slice(1, -1),
  ])
}

function urlForms(text: string): string[] {
  const encoded = encodeURIComponent(text.toWellFormed())
  const form = new URLSearchParams({ v: text }).toString().slice(2)
  const strict = encoded.replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`)
  return [encoded, form, strict, encoded.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())]
}

/** Base64 looks different by where in the encoded text the secret begins (`user:password`): the part that is the same in each of three cases. */
function base64Forms(text: string): string[] {
  const bytes = Buffer.from(text)
  const found = [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replace(/=+$/, '')
    const cutFront = shift === 0 ? 0 : shift + 1
    const cutBack = (shift + bytes.length) % 3 === 0 ? 0 : 1
    return encoded.slice(cutFront, encoded.length - cutBack)
  })
  return found.filter((form) => form.length >= 6).flatMap((form) => [form, form.replaceAll('+', '-').replaceAll('/', '_')])
}

/** Longest first, so that no part of a secret is left standing beside a shorter one. */
function alternatives(forms: Set<string>): RegExp {
  const longestFirst = [...forms].sort((a, b) => b.length - a.length)
  return new RegExp(longestFirst.map((form) => form.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|'), 'g')
}

function maskInside(value: unknown, mask: (text: string) => string, above: object[]): unknown {
  if (typeof value === 'string') return mask(value)
  if (typeof value === 'number') return mask(String(value)) === String(value) ? (Number.isFinite(value) ? value : String(value)) : masked
  if (typeof value === 'bigint') return mask(String(value))
  if (typeof value !== 'object' || value === null) return typeof value === 'boolean' || value === null ? value : undefined
  if (above.includes(value) || above.length > 20) return '…'
  const within = [...above, value]
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (value instanceof Error) return mask(value.message)
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (Array.isArray(value)) return value.map((item) => maskInside(item, mask, within) ?? null)
  if (value instanceof Map) return maskInside(Object.fromEntries(value), mask, above)
  if (value instanceof Set) return maskInside([...value], mask, above)
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [mask(key), maskInside(item, mask, within)]))
}
