import { rm } from 'node:fs/promises'
import type { ConnectionFacts } from '../../src/job/connections.ts'
import type { JobContext } from '../../src/job/define-job.ts'
import type { SavedFile, Scan, Visit, VisitEnd } from '../../src/job/scans.ts'
import { PermanentError } from '../../systemscripts/errors.ts'
import { downloadFile } from '../../systemscripts/web/download-file.ts'
import { fetchPage } from '../../systemscripts/web/fetch-page.ts'
import { fillAddress, fillText } from '../../systemscripts/web/ids/fill-template.ts'
import { logIn } from '../../systemscripts/web/log-in.ts'
import { openBrowser } from '../../systemscripts/web/open-browser.ts'
import { openWebClient } from '../../systemscripts/web/open-web-client.ts'
import type { PageReading } from '../../systemscripts/web/page/rules.ts'
import { renderPage } from '../../systemscripts/web/render-page.ts'
import type { WebClient } from '../../systemscripts/web/web-client.ts'
import type { ScrapeSettings } from './settings.ts'

/** A page as it was answered. */
export interface AskedPage {
  /** Where it came from in the end. */
  url: string
  status: number
  /** Null: it is no text. */
  text: string | null
  body: Buffer
  contentType: string | null
  etag: string | null
  lastModified: string | null
  fetchedAt: Date
  /** A file that a click brought. */
  download: SavedFile | null
}

/** Where a scan gets its pages and files from. */
export interface PageSourceOfScan extends AsyncDisposable {
  /** @throws as fetchPage and renderPage */
  page(visit: Pick<Visit, 'url' | 'item'>): Promise<AskedPage>
  /** Downloads what a page leads to, into the folder of file_config. Files that have not changed are left out. @throws as downloadFile */
  files(visit: Visit, page: AskedPage, end: VisitEnd & { reading: PageReading }): Promise<SavedFile[]>
}

type AskContext = Pick<JobContext<ScrapeSettings>, 'config' | 'connections' | 'signal' | 'hosts' | 'scans' | 'folder'>

/** Opens what the settings need: connections, a login, a browser. All ends with it. @throws as logIn; PermanentError connection_not_found */
export async function openPageSource(context: AskContext, scan: Pick<Scan, 'lastFile'>): Promise<PageSourceOfScan> {
  const { config: settings, signal, hosts } = context
  const client = await openClient(context)
  const browser = settings.render === 'browser' ? openBrowser(client) : null
  const fileFolder = settings.fileConfig === null ? null : context.folder(await context.scans.importFolder(settings.fileConfig))
  const acceptStatuses = [
    ...new Set([404, 410, ...settings.fields.flatMap((field) => (field.stateWord === null ? [] : field.statusCodes))]),
  ]
  const limits = { signal, acceptStatuses, wholeSeconds: settings.pageSeconds, maxBytes: settings.maxPageBytes }

  return {
    async page({ url, item }) {
      const fetchedAt = new Date()
      if (browser === null) {
        const { redirectedFrom: _, isUnchanged: __, encoding: ___, header: ____, ...page } = await fetchPage(client, url, limits)
        return { ...page, fetchedAt, download: null }
      }
      const rendered = await renderPage(browser, url, {
        ...limits,
        waitSelector: settings.waitSelector,
        clickSelector: settings.clickSelector,
        downloadFolder: settings.clickSelector === null ? null : fileFolder,
        nameOf: (stated) => nameOf(settings, item, stated),
      })
      const { download } = rendered
      return {
        url: rendered.url,
        status: rendered.status,
        text: rendered.text,
        body: Buffer.from(rendered.text),
        contentType: 'text/html; charset=utf-8',
        etag: null,
        lastModified: null,
        fetchedAt,
        download: download === null ? null : { ...download, url, fileName: fileNameOf(download.path), savedPath: download.path },
      }
    },

    async files(visit, page, { reading, isThere, stateWord }) {
      if (fileFolder === null || isThere !== true) return []
      if (settings.fileStates.length > 0 && !settings.fileStates.includes(stateWord ?? '')) return []
      const urls = reading.files.map(({ url }) => url)
      if (urls.length === 0 && settings.fileUrl !== null) urls.push(fillAddress(settings.fileUrl, { id: visit.item ?? '' }))
      const saved: SavedFile[] = page.download === null ? [] : [page.download]
      for (const url of urls) {
        const file = await downloadFile(client, url, fileFolder, {
          signal,
          maxBytes: settings.maxFileBytes,
          nameOf: (stated) => nameOf(settings, visit.item, stated),
        })
        if (file.path !== null) saved.push({ ...file, url, fileName: fileNameOf(file.path), savedPath: file.path })
      }
      return await withoutUnchanged(saved)
    },

    async [Symbol.asyncDispose]() {
      await browser?.close()
      await client.close()
      await hosts.close().catch(() => {})
    },
  }

  async function withoutUnchanged(files: SavedFile[]): Promise<SavedFile[]> {
    const changed: SavedFile[] = []
    for (const file of files) {
      const last = await scan.lastFile(file.url)
      if (last?.sha256 === file.sha256) await rm(file.savedPath, { force: true })
      else changed.push(file)
    }
    return changed
  }
}

async function openClient({ config: settings, connections, hosts, signal }: AskContext): Promise<WebClient> {
  const connection = settings.connectionName === null ? null : await connections.get(settings.connectionName)
  const rules = await hosts.rules()
  const { origin } = new URL(settings.startUrl.replaceAll('{id}', '0'))
  const client = openWebClient({
    budget: hosts.budget,
    robotsCache: hosts.robotsCache,
    hostRules: (host) => ({ ...rules(host), allowPrivate: settings.allowPrivateHosts }),
    ...(connection === null ? {} : accessOf(connection, origin)),
  })
  const form = connection === null ? null : loginForm(connection)
  if (form !== null) await logIn(client, form, { signal })
  return client
}

/** What a connection of kind http says beside a form: user and password, a token, a proxy. */
function accessOf({ userName, secret, options }: ConnectionFacts, origin: string) {
  const proxy = textOf(options, 'proxy_url')
  const language = textOf(options, 'accept_language')
  const how = textOf(options, 'auth') ?? (textOf(options, 'login_url') === null ? 'basic' : 'form')
  const credentials =
    secret === null || how === 'form'
      ? null
      : how === 'bearer'
        ? { kind: 'bearer' as const, token: secret }
        : { kind: 'basic' as const, user: userName ?? '', password: secret }
  return {
    authorization: credentials === null ? null : { origin, credentials },
    proxy: proxy === null ? null : { url: proxy },
    acceptLanguage: language,
  }
}

function loginForm({ connectionName, userName, secret, options }: ConnectionFacts) {
  const url = textOf(options, 'login_url')
  if (url === null) return null
  if (secret === null) {
    throw new PermanentError('secret_not_found', `Connection "${connectionName}" logs in by a form and has no secret`, {
      hint: 'Name the secret in secret_name of dba.connection.',
    })
  }
  const userField = textOf(options, 'user_field') ?? 'username'
  const passwordField = textOf(options, 'password_field') ?? 'password'
  return {
    url,
    formSelector: textOf(options, 'form_selector'),
    fields: { ...(userName === null ? {} : { [userField]: userName }), [passwordField]: secret },
    proofSelector: textOf(options, 'proof_selector'),
    proofPattern: textOf(options, 'proof_pattern'),
  }
}

function textOf(options: Record<string, unknown>, key: string): string | null {
  const value = options[key]
  return typeof value === 'string' && value !== '' ? value : null
}

function nameOf({ fileName }: ScrapeSettings, item: string | null, stated: string): string {
  const timestamp = new Date().toISOString().replace(/[-:]|[.].*$/g, '')
  return fillText(fileName, { timestamp, id: item ?? '', name: stated, date: timestamp.slice(0, 8) })
}

function fileNameOf(path: string): string {
  return path.replace(/^.*[/\\]/, '')
}
