import type { JobContext } from '../../src/job/define-job.ts'
import type { Link, Scan } from '../../src/job/scans.ts'
import { PermanentError } from '../../systemscripts/errors.ts'
import { openPostgres } from '../../systemscripts/postgres.ts'
import { fillAddress } from '../../systemscripts/web/ids/fill-template.ts'
import { type IdSpec, listOf, parseFrontier, parseList, parseRange } from '../../systemscripts/web/ids/id-spec.ts'
import type { ScrapeSettings } from './settings.ts'

/** So many ids are put into the line at once. */
const chunkSize = 1000

type IdsContext = Pick<JobContext<ScrapeSettings>, 'config' | 'connections' | 'signal'>

/**
 * Puts the next ids of the settings into the scan, from where it stands: an attempt after an interruption goes on.
 *
 * @param highestEver the largest id whose page was ever there, for a frontier
 * @returns a function that answers false when there are no more
 * @throws PermanentError `ids_invalid`, `ids_query_failed`; as openPostgres
 */
export async function idSource(
  context: IdsContext,
  scan: Pick<Scan, 'tally' | 'enqueue'>,
  highestEver: () => Promise<string | null>,
): Promise<() => Promise<boolean>> {
  const { config: settings } = context
  const { ids: givenBefore, firstId } = await scan.tally()
  const linkOf = (id: string): Link => ({ url: fillAddress(settings.startUrl, { id }), item: id, depth: 0, part: 1 })
  const nextIds = await walkOf()
  return async () => {
    const { ids: given, highestThere } = await scan.tally()
    const links = nextIds(given, highestThere)
    if (links.length === 0) return false
    await scan.enqueue(links)
    return true
  }

  async function walkOf(): Promise<(given: number, highestThere: string | null) => Link[]> {
    if (settings.idsFrom === 'none') return (given) => (given > 0 ? [] : [{ url: settings.startUrl, item: null, depth: 0, part: 1 }])
    if (settings.idsFrom === 'frontier') {
      const known = numberOf(await highestEver())
      const { first, misses, width } = parseFrontierSpec(settings.idsSpec, known)
      // An attempt goes on with the beginning of the scan, whatever was found since.
      const begin = firstId === null ? first : BigInt(firstId)
      return (given, highestThere) => {
        const there = [known, numberOf(highestThere)].filter((id) => id !== null && id >= begin)
        const found = there.reduce<bigint>((most, id) => (id !== null && id >= most ? id + 1n : most), begin)
        return numbers({ first: begin, step: 1n, width }, given, Number(found - begin) + misses).map(linkOf)
      }
    }
    const spec = await readSpec(context, givenBefore)
    if (spec.kind === 'range') return (given) => numbers(spec, given, sizeOf(spec)).map(linkOf)
    const ids = spec.kind === 'list' ? spec.ids : []
    // All at once the first time: a list that a query gave is not asked for again.
    return (given) =>
      (given === 0 || settings.idsFrom === 'list' ? ids.slice(given, given === 0 ? undefined : given + chunkSize) : []).map(linkOf)
  }
}

/** How many ids there are; null where nobody knows beforehand. @throws PermanentError `ids_invalid` */
export function countIds({ idsFrom, idsSpec }: ScrapeSettings): number | null {
  if (idsFrom === 'none') return 1
  if (idsFrom === 'range') return sizeOf(parseRange(idsSpec))
  return idsFrom === 'list' ? sizeOf(parseList(idsSpec)) : null
}

/** The first address of the settings; null: a query gives no id. @throws as idSource */
export async function firstLink(context: IdsContext): Promise<Link | null> {
  const { idsFrom, idsSpec, startUrl } = context.config
  if (idsFrom === 'none') return { url: startUrl, item: null, depth: 0, part: 1 }
  const spec = idsFrom === 'frontier' ? parseFrontierSpec(idsSpec, null) : await readSpec(context, 0)
  const id = spec.kind === 'list' ? spec.ids[0] : spec.first.toString().padStart(spec.width, '0')
  return id === undefined ? null : { url: fillAddress(startUrl, { id }), item: id, depth: 0, part: 1 }
}

async function readSpec(context: IdsContext, given: number): Promise<IdSpec> {
  const { idsFrom, idsSpec } = context.config
  if (idsFrom === 'range') return parseRange(idsSpec)
  if (idsFrom === 'list') return parseList(idsSpec)
  return listOf(given > 0 ? [] : await queriedIds(context))
}

/** `94583 misses 500 back 1000`: begins so many ids before the end of the known ones. */
function parseFrontierSpec(text: string, known: bigint | null): Extract<IdSpec, { kind: 'frontier' }> {
  const [, plain = text, back] = /^(.*?)(?:\s+back\s+(\d+))?\s*$/s.exec(text) ?? []
  const spec = parseFrontier(plain)
  if (spec.kind !== 'frontier') throw new RangeError('unreachable')
  const begin = known === null || back === undefined ? spec.first : known + 1n - BigInt(back)
  return { ...spec, first: begin > spec.first ? begin : spec.first }
}

/** At most `chunkSize` ids behind those that were given. */
function numbers({ first, step, width }: { first: bigint; step: bigint; width: number }, given: number, size: number): string[] {
  const count = Math.max(0, Math.min(chunkSize, size - given))
  return Array.from({ length: count }, (_, index) => (first + BigInt(given + index) * step).toString().padStart(width, '0'))
}

function sizeOf(spec: IdSpec): number {
  if (spec.kind === 'list') return spec.ids.length
  return spec.kind === 'range' ? Number((spec.last - spec.first) / spec.step) + 1 : 0
}

function numberOf(id: string | null): bigint | null {
  return id === null ? null : BigInt(id)
}

/** The first column of a query that a person wrote, as rota_job. */
async function queriedIds({ config, connections, signal }: IdsContext): Promise<string[]> {
  const client = await openPostgres(await connections.jobDatabaseUrl(), { applicationName: 'rota job scrape', signal })
  try {
    await client.query('begin transaction read only')
    const { rows } = await client.query<unknown[]>({ text: config.idsSpec, rowMode: 'array' })
    return rows.flatMap(([id]) => (id === null || id === undefined ? [] : [String(id)]))
  } catch (cause) {
    signal.throwIfAborted()
    throw new PermanentError('ids_query_failed', 'The query for the ids failed', {
      detail: cause instanceof Error ? cause.message : String(cause),
      hint: 'Correct ids_spec in dba.scrapeconfig; the query runs as rota_job, which needs usage on the schema and select on the tables.',
      cause,
    })
  } finally {
    await client.end().catch(() => {})
  }
}
