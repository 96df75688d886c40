/** Formats that have names instead of letters in Excel's XML and web pages. */
const NAMED_FORMATS: Record<string, string> = {
  'general date': 'm/d/yyyy h:mm',
  'long date': 'dddd, mmmm d, yyyy',
  'medium date': 'd-mmm-yy',
  'short date': 'm/d/yyyy',
  'long time': 'h:mm:ss AM/PM',
  'medium time': 'h:mm AM/PM',
  'short time': 'h:mm',
  fixed: '0.00',
  standard: '#,##0.00',
  percent: '0.00%',
  scientific: '0.00E+00',
  currency: '$#,##0.00',
  'euro currency': '[$€-2]#,##0.00',
}

/** The format that a name stands for; what is no name is a format already. */
export function namedFormat(text: string): string {
  const key = text.toLowerCase()
  return (Object.hasOwn(NAMED_FORMATS, key) ? NAMED_FORMATS[key] : undefined) ?? text
}
