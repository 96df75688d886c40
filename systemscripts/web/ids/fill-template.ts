import { PermanentError } from '../../errors.ts'

/**
 * Puts values into the places `{name}` of an address, written so that they cannot be taken for another part of it. An address that is
 * nothing but one place takes the value as it is, so that ids may be whole addresses.
 *
 * @throws PermanentError `place_unknown` for a place without a value
 */
export function fillAddress(template: string, values: Record<string, string>): string {
  const whole = /^\{(\w+)\}$/.exec(template.trim())?.[1]
  if (whole !== undefined) return valueFor(template, whole, values)
  return fill(template, values, encodeURIComponent)
}

/** The same for a text such as a file name. @throws PermanentError `place_unknown` */
export function fillText(template: string, values: Record<string, string>): string {
  return fill(template, values, (value) => value)
}

function fill(template: string, values: Record<string, string>, written: (value: string) => string): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => written(valueFor(template, name, values)))
}

function valueFor(template: string, name: string, values: Record<string, string>): string {
  const value = Object.hasOwn(values, name) ? values[name] : undefined
  if (value !== undefined) return value
  const names = Object.keys(values).map((known) => `{${known}}`)
  throw new PermanentError('place_unknown', `"${template}" has a place {${name}} that nothing fills`, {
    detail: `Known are ${names.join(', ') || 'none'}.`,
    hint: 'Correct start_url, file_url or file_name in dba.scrapeconfig.',
  })
}
