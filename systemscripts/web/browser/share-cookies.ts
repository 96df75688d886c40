import type { BrowserContext } from 'playwright-core'
import { Cookie, type CookieJar } from 'tough-cookie'

/** The client's cookies for a page of the browser. */
export async function lendCookies(jar: CookieJar, context: BrowserContext): Promise<void> {
  const { cookies = [] } = jar.serializeSync() ?? {}
  await context.addCookies(
    cookies.flatMap((one) => {
      const cookie = Cookie.fromJSON(one)
      if (!cookie?.domain) return []
      const { key: name, value, domain, path, secure, httpOnly } = cookie
      const expiresAt = cookie.expiryTime()
      const expires = expiresAt === undefined || !Number.isFinite(expiresAt) ? {} : { expires: expiresAt / 1000 }
      return [{ name, value, domain: cookie.hostOnly ? domain : `.${domain}`, path: path ?? '/', secure, httpOnly, ...expires }]
    }),
  )
}

/** What the page set goes back to the client. */
export async function takeCookies(jar: CookieJar, context: BrowserContext): Promise<void> {
  for (const { name, value, domain, path, expires, secure, httpOnly } of await context.cookies()) {
    const bare = domain.replace(/^\./, '')
    const hostOnly = bare === domain
    const cookie = new Cookie({
      key: name,
      value,
      path,
      secure,
      httpOnly,
      hostOnly,
      ...(hostOnly ? {} : { domain: bare }),
      ...(expires === -1 ? {} : { expires: new Date(expires * 1000) }),
    })
    jar.setCookieSync(cookie, `${secure ? 'https' : 'http'}://${bare}${path}`, { ignoreError: true })
  }
}
