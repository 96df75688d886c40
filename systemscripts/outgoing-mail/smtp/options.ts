import type { TokenLogin } from '../../mail/oauth-login.ts'

export interface SmtpOptions {
  host: string
  /** Default 587; 25 where `tls` is `off`. */
  port?: number | null
  /**
   * `verify`: encrypted, the certificate must be right; `require`: encrypted, whatever the certificate; `off`: in the clear.
   * Encrypted from the first byte on port 465, else by STARTTLS, which the server must then offer.
   */
  tls: 'verify' | 'require' | 'off'
  /** Encrypted from the first byte, whatever the port. Default: on port 465. */
  isImplicitTls?: boolean
  /** Certificate in PEM that is trusted too. */
  trusted?: string
  /** Null: without a login. */
  user: string | null
  /** A password, or what gives an access token (XOAUTH2). */
  login: { password: string } | TokenLogin | null
  /** Connections at once. Default 5. */
  connections?: number
  /** After so many mails a connection is closed and another opened. Default 100. */
  mailsPerConnection?: number
  /** Mails, at most. Default: no limit. */
  perSecond?: number
  perMinute?: number
  /** A server that says nothing for so long is given up. Default 300; it has that long to think about a mail, too. */
  timeoutSeconds?: number
  /** Name this machine says. Default: its own. */
  heloName?: string
}

/** Where it connects to, and how. */
export function placeOf({ host, port, tls, isImplicitTls }: SmtpOptions): { host: string; port: number; isImplicitTls: boolean } {
  const number = port ?? (tls === 'off' ? 25 : 587)
  return { host, port: number, isImplicitTls: tls !== 'off' && (isImplicitTls ?? number === 465) }
}
