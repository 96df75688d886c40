import type { JobContext } from '../../src/job/define-job.ts'
import type { Link, Scan } from '../../src/job/scans.ts'
import { openPostgres } from '../../systemscripts/postgres.ts'
import { fillAddress } from '../../systemscripts/web/ids/fill-template.ts'
import { type IdSpec, listOf, parseFrontier, parseList, parseRange } from '../../systemscripts/web/ids/id-spec.ts'
import type { ScrapeSettings } from './settings.ts'

/** So many ids are put into the line at once. */
const chunkSize = 1000

type IdsContext = Pick<JobContext<ScrapeSettings>, 'config' | 'connections' | 'signal'>

/**
 * Puts the next ids of the settings into the scan, where it stands there: an attempt after an interruption goes on.
 *
 * @returns a function that answers false when there are no more
 * @throws PermanentError `ids_invalid`; as openPostgres and the query
 */
export async function idSource(context: IdsContext, scan: Scan): Promise<() => Promise<boolean>> {
  const { config: settings } = context
  if (settings.idsFrom === 'none') return () => startPage(settings, scan)
  const spec = await readSpec(context, scan)
  return async () => {
    const { ids: given, highestThere } = await scan.tally()
    const ids = nextIds(spec, given, highestThere === null ? null : BigInt(highestThere))
    if (ids.length === 0) return false
    await scan.enqueue(ids.map((id) => linkOf(settings, id)))
    return true
  }
}

/** How many ids there are; null where nobody knows beforehand. */
export async function countIds(context: IdsContext): Promise<number | null> {
  const { idsFrom, idsSpec } = context.config
  if (idsFrom === 'none') return 1
  if (idsFrom === 'range') return sizeOf(parseRange(idsSpec))
  return idsFrom === 'list' ? sizeOf(parseList(idsSpec)) : null
}

async function startPage({ startUrl }: ScrapeSettings, scan: Scan): Promise<boolean> {
  const { ids } = await scan.tally()
  if (ids > 0) return false
  await scan.enqueue([{ url: startUrl, item: null, depth: 0, part: 1 }])
  return true
}

async function readSpec(context: IdsContext, scan: Scan): Promise<IdSpec> {
  const { idsFrom, idsSpec } = context.config
  if (idsFrom === 'range') return parseRange(idsSpec)
  if (idsFrom === 'frontier') return parseFrontier(idsSpec)
  if (idsFrom === 'list') return parseList(idsSpec)
  // What the query said when the scan began counts: all of it is in the line already.
  const { ids } = await scan.tally()
  return ids > 0 ? listOf([]) : listOf(await queriedIds(context))
}

/** The ids behind those that were given: `given` of them, in order. */
function nextIds(spec: IdSpec, given: number, highestThere: bigint | null): string[] {
  if (spec.kind === 'list') return spec.ids.slice(given, given + (given === 0 ? spec.ids.length : chunkSize))
  const size = spec.kind === 'range' ? sizeOf(spec) : frontierSize(spec, highestThere)
  const count = Math.max(0, Math.min(chunkSize, size - given))
  const step = spec.kind === 'range' ? spec.step : 1n
  return Array.from({ length: count }, (_, index) => (spec.first + BigInt(given + index) * step).toString().padStart(spec.width, '0'))
}

/** A frontier goes so many ids beyond the last one that is there. */
function frontierSize({ first, misses }: Extract<IdSpec, { kind: 'frontier' }>, highestThere: bigint | null): number {
  return (highestThere === null ? 0 : Number(highestThere - first) + 1) + misses
}

function sizeOf(spec: IdSpec): number {
  if (spec.kind === 'list') return spec.ids.length
  return spec.kind === 'range' ? Number((spec.last - spec.first) / spec.step) + 1 : 0
}

function linkOf({ startUrl }: ScrapeSettings, id: string): Link {
  return { url: fillAddress(startUrl, { id }), item: id, depth: 0, part: 1 }
}

/** The first column of a query that a person wrote, as rota_job. */
async function queriedIds({ config, connections, signal }: IdsContext): Promise<string[]> {
  const client = await openPostgres(await connections.jobDatabaseUrl(), { applicationName: 'rota job scrape', signal })
  try {
    await client.query('begin transaction read only')
    const { rows } = await client.query<unknown[]>({ text: config.idsSpec, rowMode: 'array' })
    return rows.flatMap(([id]) => (id === null || id === undefined ? [] : [String(id)]))
  } finally {
    await client.end().catch(() => {})
  }
}
