/** The kinds of work that this database knows: dba.job. */
export async function readJobNames(query: (text: string) => Promise<Record<string, unknown>[]>): Promise<Set<string>> {
  return new Set((await query('select job from dba.job order by job')).map((row) => String(row.job)))
}
