/**
 * The numbers that a table made by the loader gives its rows. They are taken by the dozen, since one by one they cost a tenth of the time of the rows;
 * what is left of the last dozen is given back, so that none is missing between two files.
 */
import { type ClientBase, DatabaseError, escapeLiteral } from 'pg'
import { asRole } from './shape-target.ts'
import { keyColumn, quoted, type TableName } from './target.ts'

/** Numbers that this session has left from before are older than those that others have taken since: a later file would get the smaller ones. */
export async function startNumbers(client: ClientBase): Promise<void> {
  await client.query('discard sequences')
}

/**
 * Gives back what this transaction has taken and not used. Where others write to the table at this moment, or have taken numbers since, nothing is given
 * back, and up to 31 stay unused: no number is ever given twice.
 */
export async function giveBackNumbers(client: ClientBase, name: TableName, ownerRole: string): Promise<void> {
  const { rows } = await client.query<{ sequence: string; cache: string; patience: string }>(
    `select s.seqrelid::regclass::text as sequence, s.seqcache::text as cache, current_setting('lock_timeout') as patience
     from pg_attribute a
     join pg_sequence s on s.seqrelid = pg_get_serial_sequence($1, a.attname)::regclass
     where a.attrelid = $1::regclass and a.attname = $2 and a.attidentity <> '' and s.seqcache > 1 and s.seqincrement = 1`,
    [quoted(name), keyColumn(name)],
  )
  const [found] = rows
  if (found === undefined) return
  const { sequence, cache, patience } = found
  await client.query('savepoint numbers')
  try {
    await client.query(`set local lock_timeout = '1ms'`)
    // It changes nothing. While it holds, nobody else takes a number, nor has he taken one in a transaction that is still open.
    await asRole(client, ownerRole, [
      `alter sequence ${sequence} cache ${cache}`,
      `select setval(${escapeLiteral(sequence)}, currval(${escapeLiteral(sequence)})) from ${sequence}
       where last_value - currval(${escapeLiteral(sequence)}) between 1 and ${cache} - 1`,
    ])
    await client.query(`set local lock_timeout = '${patience}'; release savepoint numbers`)
  } catch (error) {
    if (!(error instanceof DatabaseError) || !NOT_NOW.has(error.code ?? '')) throw error
    await client.query('rollback to savepoint numbers; release savepoint numbers')
  }
}

/** Somebody holds it, it is not ours to alter, or no number of it was taken here. */
const NOT_NOW = new Set(['55P03', '40P01', '42501', '55000'])
