import { openBrowser } from '../../../systemscripts/web/open-browser.ts'
import { openWebClient } from '../../../systemscripts/web/open-web-client.ts'
import { renderPage } from '../../../systemscripts/web/render-page.ts'

// Opens a page that never ends, until it is killed.
const browser = openBrowser(openWebClient({ allowPrivate: () => true }))
await renderPage(browser, process.argv[2] ?? '', { signal: new AbortController().signal })
