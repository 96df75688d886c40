import { access, constants } from 'node:fs/promises'
import { PermanentError } from '../../errors.ts'

const USUAL_PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe',
]

/**
 * The system's Chromium: where it is stated, and only there; else in the usual places.
 * @throws PermanentError `browser_missing`
 */
export async function findBrowser(stated: string | null = null): Promise<string> {
  const places = stated === null ? USUAL_PLACES : [stated]
  for (const place of places) if (await isExecutable(place)) return place
  throw new PermanentError('browser_missing', 'No Chromium is installed on this machine', {
    detail: `Looked for ${places.join(', ')}.`,
    hint: 'Install it (apt-get install chromium), or set ROTA_CHROMIUM to the path of Chromium or Chrome, or give the schedule the lane of a machine that has one.',
  })
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}
