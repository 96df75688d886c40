import type { CheerioAPI } from 'cheerio'
import { PermanentError } from '../errors.ts'
import { type Element, shownText } from '../spreadsheet/html/shown-text.ts'
import { type FetchedPage, type FetchOptions, fetchPage } from './fetch-page.ts'
import { resolver } from './page/links.ts'
import { compileMatcher } from './page/match-text.ts'
import { parsePage } from './page/parse-page.ts'
import { checkSelector, elementsOf } from './page/selectors.ts'
import type { WebClient } from './web-client.ts'

export interface LoginForm {
  /** The page that holds the form. */
  url: string
  /** Default: the form that has all the named fields. */
  formSelector?: string | null
  /** What is filled in, by the fields' names. */
  fields: Record<string, string>
  /** What only who is logged in sees, on the page that follows. At least one of the two. */
  proofSelector?: string | null
  /** Regular expression on the visible text. */
  proofPattern?: string | null
}

/**
 * Logs in by a form: fetches it, fills in the named fields, keeps what else is in it (hidden fields, choices made, its first button), sends it, and
 * looks for the proof. The cookies stay in the client. A page that shows the proof at once, because the cookies still hold, is enough.
 *
 * @returns the page that showed the proof
 * @throws PermanentError `login_failed`, `login_form_not_found`, `login_proof_missing`, `selector_invalid`, `pattern_invalid`; as fetchPage
 */
export async function logIn(client: WebClient, form: LoginForm, options: Pick<FetchOptions, 'signal'>): Promise<FetchedPage> {
  const proves = compileProof(form)
  const page = await fetchPage(client, form.url, options)
  if (proves(page)) return page
  const { url, method, fields } = filledForm(page, form)
  // Many sites answer a wrong password with one of these, and a page that says so.
  const settings = { ...options, acceptStatuses: [400, 401, 403, 422] }
  const answer =
    method === 'post'
      ? await fetchPage(client, url, { ...settings, form: fields })
      : await fetchPage(client, withQuery(url, fields), settings)
  if (proves(answer)) return answer
  throw loginFailed(form, answer)
}

function compileProof({ proofSelector = null, proofPattern = null }: LoginForm): (page: FetchedPage) => boolean {
  if (proofSelector === null && proofPattern === null) {
    throw new PermanentError('login_proof_missing', 'Nothing says how a login is known to have worked', {
      hint: 'Name a selector or a pattern that only a page behind the login has.',
    })
  }
  if (proofSelector !== null) checkSelector(proofSelector, 'proof of the login')
  const matches = proofPattern === null ? null : compileMatcher(proofPattern, 'proof of the login')
  return ({ text }) => {
    const $ = parsePage(text ?? '')
    const isThere = proofSelector === null || elementsOf($(proofSelector)).length > 0
    return isThere && (matches === null || matches(bodyText($)) !== null)
  }
}

interface FilledForm {
  url: string
  method: 'get' | 'post'
  fields: [string, string][]
}

function filledForm(page: FetchedPage, form: LoginForm): FilledForm {
  const $ = parsePage(page.text ?? '')
  const found = findForm($, form)
  if (found === null) throw formNotFound($, page, form)
  const address = resolver($, page.url)(found.attribs.action ?? page.url) ?? page.url
  if (/multipart|text\/plain/i.test(found.attribs.enctype ?? '')) {
    throw new PermanentError('login_form_not_found', `The form on ${page.url} is sent in a way that is not supported`, {
      detail: `Its enctype is "${found.attribs.enctype}".`,
      hint: "Use render = 'browser' for this site.",
    })
  }
  const kept = successfulControls($, found).filter(([name]) => !Object.hasOwn(form.fields, name))
  return {
    url: address,
    method: found.attribs.method?.toLowerCase() === 'post' ? 'post' : 'get',
    fields: [...kept, ...Object.entries(form.fields)],
  }
}

function findForm($: CheerioAPI, { formSelector = null, fields }: LoginForm): Element | null {
  if (formSelector !== null) return elementsOf($(formSelector)).find(({ name }) => name === 'form') ?? null
  const names = Object.keys(fields)
  const hasAll = (form: Element): boolean => {
    const known = new Set(controlsOf($, form).map(({ attribs }) => attribs.name))
    return names.every((name) => known.has(name))
  }
  return elementsOf($('form')).find(hasAll) ?? null
}

/** Fields inside the form, and those elsewhere that name it. */
function controlsOf($: CheerioAPI, form: Element): Element[] {
  const all = elementsOf($('input, select, textarea, button'))
  const inside = new Set(elementsOf($(form).find('input, select, textarea, button')))
  return all.filter((control) => (control.attribs.form === undefined ? inside.has(control) : control.attribs.form === form.attribs.id))
}

/** What a browser would send (HTML standard, 4.10.22.4), with the first submit button. */
function successfulControls($: CheerioAPI, form: Element): [string, string][] {
  let hasButton = false
  return controlsOf($, form).flatMap((control): [string, string][] => {
    const { name, type = control.name === 'button' ? 'submit' : 'text', value } = control.attribs
    const kind = type.toLowerCase()
    const isButton = (control.name === 'button' || control.name === 'input') && (kind === 'submit' || kind === 'image')
    const isFirst = isButton && !hasButton
    hasButton ||= isButton
    if (!name || 'disabled' in control.attribs) return []
    if (control.name === 'select') return chosenOptions($, control).map((option) => [name, option])
    if (control.name === 'textarea') return [[name, $(control).text()]]
    if (isButton) return isFirst && kind === 'submit' ? [[name, value ?? '']] : []
    if (kind === 'checkbox' || kind === 'radio') return 'checked' in control.attribs ? [[name, value ?? 'on']] : []
    return kind === 'button' || kind === 'reset' || kind === 'file' ? [] : [[name, value ?? '']]
  })
}

function chosenOptions($: CheerioAPI, select: Element): string[] {
  const options = elementsOf($(select).find('option'))
  const chosen = options.filter(({ attribs }) => 'selected' in attribs)
  const sent = chosen.length > 0 || 'multiple' in select.attribs ? chosen : options.slice(0, 1)
  return sent.map((option) => option.attribs.value ?? shownText(option) ?? '')
}

function withQuery(address: string, fields: [string, string][]): string {
  const url = new URL(address)
  url.search = new URLSearchParams(fields).toString()
  return url.href
}

function bodyText($: CheerioAPI): string {
  const [body] = elementsOf($('body'))
  return body === undefined ? '' : (shownText(body) ?? '')
}

function formNotFound($: CheerioAPI, page: FetchedPage, form: LoginForm): PermanentError {
  const forms = elementsOf($('form')).map((one) => {
    const names = controlsOf($, one).flatMap(({ attribs }) => (attribs.name ? [`"${attribs.name}"`] : []))
    return `one with ${names.join(', ') || 'no field'}`
  })
  const wanted = form.formSelector ? `by "${form.formSelector}"` : `with the fields ${Object.keys(form.fields).join(', ')}`
  return new PermanentError('login_form_not_found', `There is no form ${wanted} on ${page.url}`, {
    detail: `Its forms: ${forms.join('; ') || 'none'}.`,
    hint: 'Correct the address, the selector or the names of the fields. A form that JavaScript makes needs a browser.',
  })
}

function loginFailed(form: LoginForm, { url, status, text }: FetchedPage): PermanentError {
  const [title] = elementsOf(parsePage(text ?? '')('title').first())
  const shown = title === undefined ? null : shownText(title)
  return new PermanentError('login_failed', `The login at ${form.url} did not work`, {
    detail: `It led to ${url} (status ${status}${shown === null ? '' : `, title "${shown}"`}), which does not show the proof.`,
    hint: 'See whether user and password are right, and whether the proof still stands on the page behind the login.',
  })
}
