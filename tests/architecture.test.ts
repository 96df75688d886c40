import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../', import.meta.url))

/** Imports only go downstairs; rooms of one floor never visit each other. The longest beginning that fits a file names its room. */
const floors: Record<string, number> = {
  'src/': 4,
  'src/worker/': 3,
  'src/cli/': 3,
  'src/web/': 3,
  'jobs/': 3,
  'src/control-plane/': 2,
  // read once by the composition root, known to everything that is configured
  'src/config.ts': 1,
  'src/db/': 1,
  'src/job/': 1,
  'systemscripts/': 0,
  // the stage of the demo: stands for the outside world, knows nothing of the house
  'onboarding/demo/': 0,
}
/** What a job needs of the house it is handed. */
const staircaseOfJobs = ['jobs/', 'src/job/', 'systemscripts/']

const files = globSync(['src/**/*.ts', 'jobs/**/*.ts', 'systemscripts/**/*.ts'], { cwd: root }).map((file) => file.replaceAll('\\', '/'))
const everything = [...files, ...globSync(['tests/**/*.ts', 'onboarding/**/*.ts'], { cwd: root })]
const text = new Map(everything.map((file) => [file, readFileSync(join(root, file), 'utf8')]))

test('imports only go downstairs, and jobs take one staircase', () => {
  const wrong = files.flatMap((file) =>
    importsOf(file)
      .filter((target) => !mayImport(file, target))
      .map((target) => `${file} imports ${target}`),
  )
  assert.deepEqual(wrong, [])
})

test('no file imports itself, however long the way round', () => {
  const done = new Set<string>()
  const walk = (file: string, way: string[]): string[] => {
    if (way.includes(file)) return [[...way.slice(way.indexOf(file)), file].join(' → ')]
    if (done.has(file)) return []
    const found = importsOf(file).flatMap((target) => walk(target, [...way, file]))
    done.add(file)
    return found
  }
  assert.deepEqual(
    files.flatMap((file) => walk(file, [])),
    [],
  )
})

test('no file passes on what another exports', () => {
  assert.deepEqual(
    files.filter((file) => /^export\b[^'"`;=]*\bfrom\s*['"][.]/m.test(read(file))),
    [],
  )
})

test('only the queue imports pg-boss', () => {
  const importers = files.filter((file) => /from\s*['"]pg-boss/.test(read(file)) && !/^src\/worker\/queue([.]ts|\/)/.test(file))
  assert.deepEqual(importers, [])
})

test('only the control plane queries the control tables; others call the functions and read the views that people do', () => {
  const query = /(?:\bsql(?:<[^`]*>)?(?=`)|\bquery(?:<[^`(]*>)?\(|(?:From|Into|Table|Join)\()\s*(['"`])(.*?)\1/gs
  const open = /^dba[.](migration|next_run|recent_run|run_log|schedule_health|problem|trace|\w+[(])$/
  const wrong = files
    .filter((file) => !file.startsWith('src/control-plane/'))
    .flatMap((file) => {
      const named = [...read(file).matchAll(query)].flatMap(([, , text = '']) => text.match(/\bdba[.]\w+[(]?/g) ?? [])
      return named.filter((name) => !open.test(name)).map((name) => `${file} queries ${name}`)
    })
  assert.deepEqual(wrong, [])
})

test('a file is named after what it is for', () => {
  const vague = /(^|\/)(utils?|common|helpers?|shared|lib|misc)([.]ts$|\/)/
  const kebabCase = /(^|\/)[a-z0-9]+(-[a-z0-9]+)*([.][a-z]+)?([.]test)?[.]ts$/
  assert.deepEqual(
    everything.filter((file) => vague.test(file.replace('tests/helpers/', '')) || !kebabCase.test(file)),
    [],
  )
})

test('no file written by hand is longer than 300 lines', () => {
  assert.deepEqual(
    everything.filter((file) => file !== 'src/db/row-types.ts' && read(file).trimEnd().split('\n').length > 300),
    [],
  )
})

function read(file: string): string {
  return text.get(file) ?? ''
}

/** Our own files that a file imports, types included. */
function importsOf(file: string): string[] {
  const found = read(file).matchAll(/(?:\bfrom|\bimport\(?)\s*['"]([.][^'"]*)['"]/g)
  return [...found].map(([, path = '']) => normalize(join(dirname(file), path)).replaceAll('\\', '/'))
}

function roomOf(file: string): string | undefined {
  return Object.keys(floors)
    .filter((room) => file.startsWith(room))
    .sort((a, b) => b.length - a.length)[0]
}

function mayImport(file: string, target: string): boolean {
  const [from, to] = [roomOf(file), roomOf(target)]
  if (from === undefined || to === undefined) return false
  if (from === 'jobs/') return staircaseOfJobs.includes(to)
  return from === to || (floors[to] ?? 0) < (floors[from] ?? 0)
}
