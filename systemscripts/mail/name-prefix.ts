const TOKENS: [pattern: string, options: Intl.DateTimeFormatOptions, part: Intl.DateTimeFormatPartTypes][] = [
  ['yyyy', { year: 'numeric' }, 'year'],
  ['MM', { month: '2-digit' }, 'month'],
  ['dd', { day: '2-digit' }, 'day'],
  ['HH', { hour: '2-digit', hourCycle: 'h23' }, 'hour'],
  ['mm', { minute: '2-digit' }, 'minute'],
  ['ss', { second: '2-digit' }, 'second'],
]

/**
 * A prefix such as `{yyyyMMdd}_` with what is in braces put in: digits of a moment (`yyyy` `MM` `dd` `HH` `mm` `ss`, anything else as it
 * stands), `{sender}`, `{domain}` of the sender, `{subject}`, `{config}`.
 *
 * @param facts.timeZone IANA name. Default `UTC`.
 */
export function namePrefix(
  template: string,
  facts: { at: Date; sender: string; subject: string; config: string; timeZone?: string },
): string {
  return template.replace(/\{([^{}]*)\}/g, (_, word: string) => {
    if (word === 'sender') return facts.sender
    if (word === 'domain') return facts.sender.replace(/^.*@/, '')
    if (word === 'subject') return facts.subject.slice(0, 60)
    if (word === 'config') return facts.config
    return momentText(word, facts.at, facts.timeZone ?? 'UTC')
  })
}

function momentText(format: string, at: Date, timeZone: string): string {
  const formatter = new Intl.DateTimeFormat('en', {
    timeZone,
    ...Object.assign({}, ...TOKENS.map(([, options]) => options)),
  })
  const parts = formatter.formatToParts(at)
  return format.replace(/yyyy|MM|dd|HH|mm|ss/g, (token) => {
    const type = TOKENS.find(([pattern]) => pattern === token)?.[2]
    return parts.find((part) => part.type === type)?.value.padStart(2, '0') ?? ''
  })
}
