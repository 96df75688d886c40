/** A page that stands in front of the page asked for. */
export interface Challenge {
  /** `challenge`: it asks whether one is human. `rate_limit`: it says that one came too often. */
  kind: 'challenge' | 'rate_limit'
  /** What gave it away, in words: `Cloudflare, "Just a moment"`. */
  mark: string
}

/** So many characters of a body are looked at. */
export const wallHeadLength = 64 * 1024
/** A page that says in passing "you are being rate limited" is longer than one that says nothing else. */
const SHORT_PAGE = 20_000

/** In the headers of any answer. */
const HEADER_MARKS: { header: string; value: RegExp; mark: string }[] = [
  { header: 'cf-mitigated', value: /challenge/i, mark: 'Cloudflare, header cf-mitigated' },
  { header: 'x-amzn-waf-action', value: /challenge|captcha/i, mark: 'AWS WAF, header x-amzn-waf-action' },
  { header: 'x-datadome', value: /protected/i, mark: 'DataDome, header x-datadome' },
]
/** In any page: no page of a site's own has them. */
const SURE_MARKS: { text: RegExp; mark: string }[] = [
  { text: /<title>\s*Just a moment\.{0,3}\s*<\/title>/i, mark: 'Cloudflare, "Just a moment"' },
  { text: /<title>\s*Attention Required!\s*\|\s*Cloudflare/i, mark: 'Cloudflare, "Attention Required!"' },
  { text: /window\._cf_chl_opt\s*=/, mark: 'Cloudflare, challenge script' },
  { text: /\b_Incapsula_Resource\b/, mark: 'Imperva, challenge script' },
  { text: /\b(geo|ct)\.captcha-delivery\.com\b/, mark: 'DataDome, captcha' },
  { text: /\bid=["']px-captcha["']/, mark: 'HUMAN (PerimeterX), captcha' },
  { text: /<title>\s*(DDoS-Guard|Sucuri WebSite Firewall)/i, mark: 'challenge page of a firewall' },
  { text: /\bAwsWafIntegration\.(getToken|forceRefreshToken)\b/, mark: 'AWS WAF, challenge script' },
]
/** In an answer that refuses, or in a short page. */
const RATE_MARKS: { text: RegExp; mark: string }[] = [
  { text: /\berror(?:\s+code)?:?\s*(?:<[^<>]{0,200}>\s*){0,5}1015\b/i, mark: 'Cloudflare, "error 1015"' },
  { text: /\byou (?:are|have been) (?:being )?rate[ -]limited\b/i, mark: '"You are being rate limited"' },
]
/** Answers that such a page comes with. A page that is not there, or a server that broke, is what it says. */
const REFUSING = new Set([202, 401, 403, 405, 406, 429, 503])
/** Only in such an answer. */
const ERROR_MARKS: { text: RegExp; mark: string }[] = [
  { text: /\bJust a moment\b/i, mark: '"Just a moment"' },
  { text: /\bchecking your browser\b/i, mark: '"Checking your browser"' },
  { text: /\bverify(?:ing)? (?:that )?you are (?:a )?human\b/i, mark: '"Verify you are human"' },
  { text: /\/cdn-cgi\/challenge-platform\//, mark: 'Cloudflare, challenge script' },
]

/**
 * Recognises a page that stands in front of the one asked for, by headers and by marks in its body. Null for any other.
 *
 * @param head the first `wallHeadLength` characters of the body, unpacked
 * @param isWhole whether that is all of it
 */
export function findChallenge(status: number, header: (name: string) => string | null, head: string, isWhole: boolean): Challenge | null {
  const marked = HEADER_MARKS.find(({ header: name, value }) => value.test(header(name) ?? '') && REFUSING.has(status))
  if (marked !== undefined) return { kind: 'challenge', mark: marked.mark }
  const isError = REFUSING.has(status)
  const isShort = isWhole && head.length <= SHORT_PAGE
  const rate = isError || isShort ? RATE_MARKS.find(({ text }) => text.test(head)) : undefined
  if (rate !== undefined) return { kind: 'rate_limit', mark: rate.mark }
  const sure = [...SURE_MARKS, ...(isError ? ERROR_MARKS : [])].find(({ text }) => text.test(head))
  return sure === undefined ? null : { kind: 'challenge', mark: sure.mark }
}
