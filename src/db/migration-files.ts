import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { PermanentError } from '../../systemscripts/errors.ts'

/** One migration: a file `NNNN_what.sql`, or a folder `NNNN_what/` of parts. */
export interface Migration {
  /** From 1. */
  number: number
  /** `0001_control_plane`, without `.sql`. */
  name: string
  /** In the order in which they are applied. */
  parts: MigrationPart[]
  /** sha256 of the parts' texts, one after the other, in hexadecimal. Line ends count as \n, so a checkout on Windows agrees. */
  checksum: string
}

export interface MigrationPart {
  /** As a person finds it: `migrations/0001_control_plane/02_cron.sql`. */
  file: string
  sql: string
}

const ownMigrations = new URL('../../migrations/', import.meta.url)

/**
 * The migrations of a folder, by number. Other names in it are left alone.
 *
 * @throws PermanentError `migration_number_twice`, `migration_without_parts`
 */
export function readMigrations(directory: URL = ownMigrations): Migration[] {
  const migrations = readdirSync(directory, { withFileTypes: true })
    .filter((entry) => (entry.isDirectory() ? /^\d{4}_\w+$/ : /^\d{4}_\w+[.]sql$/).test(entry.name))
    .map((entry) => readMigration(directory, entry.name, entry.isDirectory()))
    .sort((a, b) => a.number - b.number)
  for (const [index, migration] of migrations.entries()) {
    const previous = migrations[index - 1]
    if (previous?.number === migration.number) {
      throw new PermanentError('migration_number_twice', `Two migrations have the number ${migration.number}`, {
        detail: `They are "${previous.name}" and "${migration.name}".`,
        hint: 'Give the newer one the next free number.',
      })
    }
  }
  return migrations
}

/** The number of the newest migration that this code brings; 0 without any. */
export function codeVersion(directory: URL = ownMigrations): number {
  return readMigrations(directory).at(-1)?.number ?? 0
}

function readMigration(directory: URL, entry: string, isFolder: boolean): Migration {
  const files = isFolder ? partsOf(directory, entry) : [entry]
  if (files.length === 0) {
    throw new PermanentError('migration_without_parts', `Migration folder "${entry}" holds no .sql file`, {
      hint: 'Put its parts into it, or remove the folder.',
    })
  }
  const parts = files.map((file) => ({
    file: `migrations/${file}`,
    sql: readFileSync(new URL(file, directory), 'utf8').replaceAll('\r\n', '\n'),
  }))
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part.sql)
  return { number: Number(entry.slice(0, 4)), name: entry.replace(/[.]sql$/, ''), parts, checksum: hash.digest('hex') }
}

function partsOf(directory: URL, folder: string): string[] {
  const names = readdirSync(new URL(`${folder}/`, directory)).filter((name) => name.endsWith('.sql'))
  return names.sort().map((name) => `${folder}/${name}`)
}
