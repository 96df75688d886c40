import { type Browser as Chromium, chromium } from 'playwright-core'
import { JobError } from '../errors.ts'
import { findBrowser } from './browser/find-browser.ts'
import type { WebClient } from './web-client.ts'

/** The system's Chromium, started with the first page and used for all. */
export interface Browser extends AsyncDisposable {
  client: WebClient
  /** The running one; a new one when it crashed. @throws PermanentError `browser_missing`; JobError `browser_failed` */
  running(): Promise<Chromium>
  /** Ends it and all that it started. It ends as well when this process does, however that happens. */
  close(): Promise<void>
}

/**
 * @param executable path of Chromium or Chrome. Default: one of the usual places.
 */
export function openBrowser(client: WebClient, executable: string | null = null): Browser {
  let launching: Promise<Chromium> | null = null
  const close = async (): Promise<void> => {
    const browser = await launching?.catch(() => null)
    launching = null
    await browser?.close()
  }
  return {
    client,
    running() {
      launching ??= start()
      return launching
    },
    close,
    [Symbol.asyncDispose]: close,
  }

  function start(): Promise<Chromium> {
    const started = launch(executable)
    const forget = (): void => {
      if (launching === started) launching = null
    }
    started.then((browser) => browser.once('disconnected', forget), forget)
    return started
  }
}

async function launch(stated: string | null): Promise<Chromium> {
  const executablePath = await findBrowser(stated)
  // Root may not use Chromium's sandbox, and many containers have none.
  const isRoot = process.getuid?.() === 0
  const ways = isRoot ? [false] : [true, false]
  let cause: unknown = null
  for (const chromiumSandbox of ways) {
    try {
      return await chromium.launch({
        executablePath,
        chromiumSandbox,
        headless: true,
        // The worker ends by its own rules; it closes the browser.
        handleSIGINT: false,
        handleSIGTERM: false,
        handleSIGHUP: false,
        // Each page gets a way out of its own; there is no other.
        proxy: { server: 'http://127.0.0.1:9' },
        args: ['--disable-dev-shm-usage', '--disable-quic', '--force-webrtc-ip-handling-policy=disable_non_proxied_udp'],
        timeout: 60_000,
      })
    } catch (error) {
      cause = error
    }
  }
  throw new JobError('browser_failed', 'Chromium does not start', {
    detail: cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause),
    hint: `Try ${executablePath} --headless --dump-dom about:blank on this machine.`,
    cause,
  })
}
