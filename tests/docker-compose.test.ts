import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { test } from 'node:test'

const root = new URL('../', import.meta.url)
const compose = readFileSync(new URL('docker-compose.yml', root), 'utf8')

test('the Compose file brings no password: each comes from outside and is asked for', () => {
  const secrets = new Set(compose.match(/\$\{[A-Z_]*(?:PASSWORD|KEY)\b/g)?.map((found) => found.slice(2)))
  assert.deepEqual(secrets, new Set(['POSTGRES_PASSWORD', 'ROTA_WORKER_PASSWORD', 'ROTA_SECRET_KEY']))
  for (const name of secrets) assert.match(compose, new RegExp(String.raw`\$\{${name}:\?`), name)
  for (const [line] of compose.matchAll(/^ +[A-Z_]*(?:PASSWORD|KEY|URL): .*$/gm)) assert.match(line, /: (?:postgres:\/\/\w+:)?\$\{/, line)
})

test('its database is open to this machine only', () => {
  const ports = compose.match(/^ +- .*:\d+$/gm) ?? []
  assert.equal(ports.length, 1)
  for (const port of ports) assert.match(port, /127\.0\.0\.1:/)
})

test('everything its image copies is there, and every folder that the command needs is copied', () => {
  const copied = [...compose.matchAll(/^ +COPY (.+) \S+$/gm)].flatMap(([, sources = '']) => sources.split(' '))
  for (const source of copied) assert.ok(statSync(new URL(source, root)), source)
  for (const folder of ['migrations', 'onboarding', 'systemscripts', 'src', 'jobs']) assert.ok(copied.includes(folder), folder)
})

test('Docker Compose understands it', { skip: whyNoCompose() }, () => {
  const environment = { ROTA_WORKER_PASSWORD: 'a', POSTGRES_PASSWORD: 'b', ROTA_SECRET_KEY: 'c', ROTA_FILES: '/tmp' }
  const { status, stderr } = runCompose(['config', '--quiet'], environment)
  assert.equal(status, 0, stderr)
  const unset = runCompose(['config', '--quiet'], {})
  assert.notEqual(unset.status, 0, 'without its variables it is refused')
})

function whyNoCompose(): string | false {
  return runCompose(['version'], {}).status === 0 ? false : 'docker compose is not installed here'
}

function runCompose(words: string[], environment: Record<string, string>): { status: number | null; stderr: string } {
  const { PATH = '', HOME = '' } = process.env
  return spawnSync('docker', ['compose', ...words], { cwd: root, env: { PATH, HOME, ...environment }, encoding: 'utf8' })
}
