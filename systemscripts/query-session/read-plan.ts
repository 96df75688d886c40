import type { Client } from 'pg'

/** What a query reads, by its plan. */
export interface ReadPlan {
  /** Tables as `schema.table`; of partitions and children the table that they belong to. */
  tables: string[]
  /** Functions that give rows, by oid: what they read does not stand in the plan. */
  functions: number[]
}

/** What goes before a query to ask for its plan. */
export const planQuestion = 'explain (verbose, costs off, format json) '

/**
 * Looks at the plan of a query without running it. What the planner proved to be empty is not in it, nor what scalar functions read.
 *
 * @throws DatabaseError
 */
export async function readPlan(client: Client, text: string, values: (string | null)[]): Promise<ReadPlan> {
  const { rows } = await client.query<{ 'QUERY PLAN': unknown }>({ text: planQuestion + text, values, ...oneStatement })
  const found: Found = { tables: new Map(), functions: new Map() }
  walk(rows[0]?.['QUERY PLAN'], found)
  const named = await client.query<{ tables: string[] | null; functions: string[] | null }>(
    `with recursive read as (
       select c.oid, c.relispartition from jsonb_to_recordset($1) as t (schema text, name text)
       join pg_catalog.pg_namespace n on n.nspname = t.schema join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = t.name
       union
       select i.inhparent, false from read r join pg_catalog.pg_inherits i on i.inhrelid = r.oid
     )
     select
       (select array_agg(distinct format('%s.%s', n.nspname, c.relname))
        from read r join pg_catalog.pg_class c on c.oid = r.oid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where not exists (select from pg_catalog.pg_inherits i where i.inhrelid = r.oid)) as tables,
       (select array_agg(p.oid::text)
        from jsonb_to_recordset($2) as f (schema text, name text)
        join pg_catalog.pg_namespace n on n.nspname = f.schema join pg_catalog.pg_proc p on p.pronamespace = n.oid and p.proname = f.name
        where n.nspname not in ('pg_catalog', 'information_schema')) as functions`,
    [JSON.stringify([...found.tables.values()]), JSON.stringify([...found.functions.values()])],
  )
  return { tables: (named.rows[0]?.tables ?? []).sort(), functions: (named.rows[0]?.functions ?? []).map(Number) }
}

/** Several could end the transaction that guards them. */
const oneStatement = { queryMode: 'extended' }

interface Found {
  tables: Map<string, { schema: string; name: string }>
  functions: Map<string, { schema: string; name: string }>
}

function walk(node: unknown, found: Found): void {
  if (Array.isArray(node)) {
    for (const one of node) walk(one, found)
    return
  }
  if (typeof node !== 'object' || node === null) return
  const entries = new Map(Object.entries(node))
  const schema = entries.get('Schema')
  for (const [key, into] of [
    ['Relation Name', found.tables],
    ['Function Name', found.functions],
  ] as const) {
    const name = entries.get(key)
    if (typeof schema === 'string' && typeof name === 'string') into.set(`${schema}.${name}`, { schema, name })
  }
  for (const value of entries.values()) walk(value, found)
}
