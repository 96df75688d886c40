import { readFileSync } from 'node:fs'
import { CookieJar } from 'tough-cookie'
import { Agent, type Dispatcher, ProxyAgent } from 'undici'
import { checkedConnector } from './address/checked-connect.ts'
import { fetchRobots } from './fetch-robots.ts'
import { usualPatience } from './manners/backoff.ts'
import { memoryHostBudget } from './manners/host-budget.ts'
import { createRobots, memoryRobotsCache } from './manners/robots.ts'
import { authorizationHeader } from './request-headers.ts'
import type { HostRules, WebClient, WebClientOptions } from './web-client.ts'

/**
 * Opens nothing by itself: connections come with the first request, stay open for the next, and end with `close`. HTTP/2 is spoken where the
 * server offers it, save through a proxy.
 */
export function openWebClient(options: WebClientOptions = {}): WebClient {
  const { authorization = null, proxy = null, trusted = null, connectSeconds = 10, idleSeconds = 30 } = options
  const rulesOf: (host: string) => HostRules = options.hostRules ?? (() => ({}))
  const userAgent = options.userAgent ?? userAgentOf(options.contactUrl ?? null)
  const allowsPrivate = options.allowPrivate ?? (() => false)
  const dispatcher = openDispatcher()
  const close = (): Promise<void> => dispatcher.destroy()
  const client: WebClient = {
    dispatcher,
    jar: options.cookies ? CookieJar.deserializeSync(options.cookies) : new CookieJar(),
    budget: options.budget ?? memoryHostBudget(() => ({})),
    robots: createRobots((url, signal) => fetchRobots(client, url, signal), options.robotsCache ?? memoryRobotsCache()),
    patience: { ...usualPatience, ...options.patience },
    proxy,
    acceptLanguage: options.acceptLanguage ?? null,
    trusted,
    connectSeconds,
    idleSeconds,
    maxRedirects: options.maxRedirects ?? 10,
    obeysRobots: (host) => rulesOf(host).obeyRobots ?? true,
    allowsPrivate,
    userAgentFor: (host) => rulesOf(host).userAgent ?? userAgent,
    authorization,
    close,
    [Symbol.asyncDispose]: close,
  }
  return client

  function openDispatcher(): Dispatcher {
    const times = { headersTimeout: idleSeconds * 1000, bodyTimeout: idleSeconds * 1000 }
    if (proxy === null) return new Agent({ ...times, allowH2: true, connect: checkedConnector({ allowsPrivate, connectSeconds, trusted }) })
    const tls = { timeout: connectSeconds * 1000, ...(trusted === null ? {} : { ca: trusted }) }
    return new ProxyAgent({
      ...times,
      uri: proxy.url,
      ...(proxy.credentials ? { token: authorizationHeader(proxy.credentials) } : {}),
      requestTls: tls,
      proxyTls: tls,
      // Many proxies tunnel to port 443 only.
      proxyTunnel: false,
    })
  }
}

/** `Rota/0.1.0 (+https://example.org/contact)`: who asks, and where to ask back. */
export function userAgentOf(contactUrl: string | null): string {
  const manifest: { version: string } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return contactUrl === null ? `Rota/${manifest.version}` : `Rota/${manifest.version} (+${contactUrl})`
}
