/** Ways out for mail by the names of dba.connection, kept while they are used: pools and rate limits are those of a whole worker. */
import type { MailRoute } from '../../../systemscripts/outgoing-mail/mail-route.ts'
import { openMailRoute } from '../../../systemscripts/outgoing-mail.ts'
import type { ConnectionFacts, Connections } from '../../job/connections.ts'
import type { WhenUnknown } from '../../job/outbox.ts'
import { routeOptions } from './route-options.ts'

export interface NamedRoute {
  route: MailRoute
  whenUnknown: WhenUnknown
}

export interface MailRoutes {
  /** @param connectionName null: the folder `outbox` below the data folder. @throws as Connections.get; PermanentError `connection_incomplete` */
  get(connectionName: string | null): Promise<NamedRoute>
  close(): Promise<void>
}

/** An edit of a connection takes effect after this. */
const KNOWN_MS = 2000

export function createMailRoutes({ connections, folder }: { connections: Connections; folder(path: string): string }): MailRoutes {
  const open = new Map<string | null, { facts: string; named: NamedRoute; readAt: number }>()
  const reading = new Map<string | null, Promise<NamedRoute>>()
  return {
    async get(connectionName) {
      const known = open.get(connectionName)
      if (known !== undefined && performance.now() - known.readAt < KNOWN_MS) return known.named
      let found = reading.get(connectionName)
      if (found === undefined) {
        found = read(connectionName).finally(() => reading.delete(connectionName))
        reading.set(connectionName, found)
      }
      return await found
    },
    async close() {
      await Promise.all([...open.values()].map(({ named }) => named.route.close()))
      open.clear()
    },
  }

  async function read(connectionName: string | null): Promise<NamedRoute> {
    const facts = connectionName === null ? standardFolder : await connections.get(connectionName)
    const written = JSON.stringify(facts)
    const known = open.get(connectionName)
    if (known?.facts === written) {
      known.readAt = performance.now()
      return known.named
    }
    const named = { route: openMailRoute(routeOptions(facts, folder)), whenUnknown: ruleOf(facts) }
    open.set(connectionName, { facts: written, named, readAt: performance.now() })
    // Mails that are on their way through it still come to their end.
    await known?.named.route.close()
    return named
  }
}

const standardFolder: ConnectionFacts = {
  connectionName: 'folder outbox',
  kind: 'folder',
  host: null,
  port: null,
  databaseName: 'outbox',
  userName: null,
  secret: null,
  tls: 'off',
  options: {},
  isReadOnly: false,
}

function ruleOf({ options }: ConnectionFacts): WhenUnknown {
  return options.when_unknown === 'resend' || options.when_unknown === 'assume_sent' ? options.when_unknown : 'hold'
}
