import type { CookieJar, SerializedCookieJar } from 'tough-cookie'
import type { Dispatcher } from 'undici'
import type { Patience } from './manners/backoff.ts'
import type { HostBudget } from './manners/host-budget.ts'
import type { Robots, RobotsCache } from './manners/robots.ts'

/** What is special about a host. */
export interface HostRules {
  /** Default: the client's. */
  userAgent?: string | null
  /** Default true. */
  obeyRobots?: boolean
}

export type Credentials = { kind: 'basic'; user: string; password: string } | { kind: 'bearer'; token: string }

export interface Proxy {
  /** `http://host:port` or `https://host:port`. */
  url: string
  credentials?: Credentials | null
}

export interface WebClientOptions {
  /** Default: `Rota/<version>`, with `(+contactUrl)` where that is given. */
  userAgent?: string | null
  /** Where the people of a site find out who asks. Default none. */
  contactUrl?: string | null
  /** By host, in lower case, with its port where that is not the usual one. Default: nothing is special. */
  hostRules?: (host: string) => HostRules
  /** Whether a name or address, without port, may lead into an inner network. Default: none may. */
  allowPrivate?: (name: string) => boolean
  /** Default: one of this client alone; a request a second, two at once per host. */
  budget?: HostBudget
  /** Default: one of this client alone. */
  robotsCache?: RobotsCache
  /** What `jar.serializeSync()` gave before. Default none. */
  cookies?: SerializedCookieJar | null
  /** Sent to this origin (`https://host`) and no other. Default none. */
  authorization?: { origin: string; credentials: Credentials } | null
  /**
   * Everything goes through it. It may stand in an inner network; it resolves names for itself, and is not asked for those
   * that lead inwards from here (address/proxied-name.ts). Default none.
   */
  proxy?: Proxy | null
  /** Certificates in PEM that are trusted instead of the usual ones. Default null: the usual ones. */
  trusted?: string[] | null
  /** Such as `de, en;q=0.5`. Default none. */
  acceptLanguage?: string | null
  patience?: Partial<Patience>
  /** Until a connection stands. Default 10. */
  connectSeconds?: number
  /** Until an answer begins, and between two pieces of its body. Default 30. */
  idleSeconds?: number
  /** Default 10. */
  maxRedirects?: number
}

/** Connections, cookies and manners that many requests share. `fetchPage`, `downloadFile`, `logIn` and `openBrowser` take one. */
export interface WebClient extends AsyncDisposable {
  dispatcher: Dispatcher
  jar: CookieJar
  budget: HostBudget
  robots: Robots
  patience: Patience
  proxy: Proxy | null
  acceptLanguage: string | null
  trusted: string[] | null
  connectSeconds: number
  idleSeconds: number
  maxRedirects: number
  obeysRobots(host: string): boolean
  allowsPrivate(name: string): boolean
  userAgentFor(host: string): string
  authorization: { origin: string; credentials: Credentials } | null
  /** Ends what is open. */
  close(): Promise<void>
}
