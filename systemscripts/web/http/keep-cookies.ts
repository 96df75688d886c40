import type { CookieJar } from 'tough-cookie'

/** As browsers bound them: characters of a cookie, cookies that one address is sent. */
const LONGEST_COOKIE = 4096
const MOST_COOKIES = 180

/** Takes the cookies of an answer; those that no browser would keep are left, so that a site cannot fill the jar and every request after it. */
export function keepCookies(jar: CookieJar, url: URL, setCookies: string[]): void {
  for (const cookie of setCookies) {
    if (cookie.length > LONGEST_COOKIE) continue
    const known = jar.getCookiesSync(url.href)
    const name = /^[^=;]*/.exec(cookie)?.[0].trim() ?? ''
    if (known.length < MOST_COOKIES || known.some(({ key }) => key === name)) jar.setCookieSync(cookie, url.href, { ignoreError: true })
  }
}
