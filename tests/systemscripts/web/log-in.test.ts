import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { test } from 'node:test'
import { fetchPage } from '../../../systemscripts/web/fetch-page.ts'
import { logIn } from '../../../systemscripts/web/log-in.ts'
import { clientOf, page, signal, startWeb } from './web-servers.ts'

const loginPage = `<form id=search><input name=q value=x></form>
  <form method=POST action="/session?next=1"><input type=hidden name=csrf value="t&amp;1"><input name=user><input type=password name=password>
  <input type=checkbox name=stay checked><input type=checkbox name=news><input type=radio name=kind value=a><input type=radio name=kind value=b checked>
  <select name=language><option value=de>Deutsch<option value=en selected>English</select><textarea name=note>hi</textarea>
  <input name=off disabled value=1><input type=file name=upload><button name=go value=yes>Go</button><button name=other value=no>No</button></form>`

/** Answers a right login with a cookie and sends on to the home page, which greets who has it. */
function loginSite(sent: string[]): Record<string, RequestListener> {
  return {
    '/login': page(loginPage, { 'set-cookie': 'visit=1' }),
    '/session': (request, response) => {
      request.setEncoding('utf8')
      request.on('data', (piece: string) => sent.push(piece))
      request.on('end', () => {
        const isRight = sent.at(-1)?.includes('password=right') && request.headers.cookie === 'visit=1'
        if (isRight) response.writeHead(302, { location: '/home', 'set-cookie': 'session=1' }).end()
        else response.writeHead(401, { 'content-type': 'text/html' }).end('<title>Sign in</title><p>Wrong password')
      })
    },
    '/home': (request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' })
      response.end(request.headers.cookie?.includes('session=1') ? '<a href=/logout>Log out</a>' : loginPage)
    },
  }
}

test('a form is filled in, what else is in it is kept, and the login holds for the pages that follow', async (t) => {
  const sent: string[] = []
  const web = await startWeb(t, loginSite(sent))
  const client = clientOf(t)
  const form = { url: `${web.origin}/login`, fields: { user: 'ann', password: 'right & good' }, proofSelector: 'a[href="/logout"]' }
  assert.equal((await logIn(client, form, { signal })).url, `${web.origin}/home`)
  assert.deepEqual(
    [...new URLSearchParams(sent[0])],
    [
      ['csrf', 't&1'],
      ['stay', 'on'],
      ['kind', 'b'],
      ['language', 'en'],
      ['note', 'hi'],
      ['go', 'yes'],
      ['user', 'ann'],
      ['password', 'right & good'],
    ],
  )
  assert.match((await fetchPage(client, `${web.origin}/home`, { signal })).text ?? '', /Log out/)
})

test('a login whose cookies still hold is not repeated', async (t) => {
  const sent: string[] = []
  const web = await startWeb(t, loginSite(sent))
  const first = clientOf(t)
  const form = { url: `${web.origin}/login`, fields: { user: 'ann', password: 'right' }, proofPattern: 'Log out' }
  await logIn(first, form, { signal })
  const second = clientOf(t, { cookies: first.jar.serializeSync() ?? null })
  await logIn(second, { ...form, url: `${web.origin}/home` }, { signal })
  assert.equal(sent.length, 1)
})

test('a wrong password, a missing form and a missing proof are told, never the password', async (t) => {
  const web = await startWeb(t, { ...loginSite([]), '/empty': page('<form><input name=q></form>') })
  const client = clientOf(t)
  const form = { url: `${web.origin}/login`, fields: { user: 'ann', password: 'secret-wrong' }, proofPattern: 'Log out' }
  const error = await logIn(client, form, { signal }).catch((refused) => refused)
  assert.deepEqual([error.code, error.name], ['login_failed', 'PermanentError'])
  assert.match(error.detail, /status 401, title "Sign in"/)
  assert.ok(!JSON.stringify([error.message, error.detail, error.hint]).includes('secret-wrong'))
  await assert.rejects(logIn(client, { ...form, url: `${web.origin}/empty` }, { signal }), {
    code: 'login_form_not_found',
    detail: 'Its forms: one with "q".',
  })
  await assert.rejects(logIn(client, { ...form, formSelector: '#none' }, { signal }), { code: 'login_form_not_found' })
  await assert.rejects(logIn(client, { ...form, proofPattern: null }, { signal }), { code: 'login_proof_missing' })
})

test('a form that is sent as part of the address works as well', async (t) => {
  const web = await startWeb(t, {
    '/login': page('<form action=/in?old=1><input name=key><input type=submit></form>'),
    '/in': (request, response) => response.end(request.url === '/in?key=k+1' ? 'welcome' : `no: ${request.url}`),
  })
  const answer = await logIn(clientOf(t), { url: `${web.origin}/login`, fields: { key: 'k 1' }, proofPattern: '^welcome$' }, { signal })
  assert.equal(answer.text, 'welcome')
})
