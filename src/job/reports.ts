/** What a report knows about its data and its readers, handed to jobs as `ctx.reports`. */
import type { ClientBase } from 'pg'

/** How fresh the data is that a report stands on. */
export interface Freshness {
  /** What is late, failed or held back; none: all is fresh. `words` may tell an error, and is for whoever answers for the report. */
  stale: { name: string; words: string }[]
  /** Since when the oldest of the data in force is there; null: the report names none. */
  dataAt: Date | null
}

/** What the last mail told. */
export interface Snapshot {
  /** SHA-256 of the answer. */
  fingerprint: string
  /** As `remember` was given it; null: nothing was kept. */
  content: string | null
  takenAt: Date
}

/** What this mail tells, for the next one. */
export interface Told {
  /** Row of dba.reportquery; empty: all answers together. */
  queryName: string
  fingerprint: string
  content: string | null
}

/** A table that was read. */
export interface SourceTable {
  /** `schema.table` */
  tableName: string
  queryNames: string[]
}

export interface Reports {
  /** This run and, where it repeats one that failed, that one, and so on; the last one began what is to be sent. */
  line(): Promise<[string, ...string[]]>
  /** How fresh the data was at the fire of this run. */
  freshness(): Promise<Freshness>
  /** Quality findings of the fire's day, about the data of the report and these tables; in words. */
  findings(tables: string[]): Promise<string[]>
  /** When the report comes, in words: the schedule of this run; null: it has none of its own. */
  scheduleInWords(): Promise<string | null>
  /** Since when the oldest of the data in force in these tables is there; null: no datasets are known of them. */
  dataAt(tables: string[]): Promise<Date | null>
  /** What setting mail_sender says. */
  defaultSender(): Promise<string | null>
  /** Tables with datasets that functions read, by their oids. */
  tablesBehind(functions: number[]): Promise<string[]>
  /** What the last mail that went out to this recipient told, by query name; of no recipient in particular: ''. */
  lastTold(recipient: string): Promise<Map<string, Snapshot>>
  /** Keeps what a mail tells, in the transaction that stores it; it counts once somebody got that mail. */
  remember(client: ClientBase, mail: { outboxId: number; recipient: string; told: Told[] }): Promise<void>
  /** Writes down which tables this run read. */
  recordSources(tables: SourceTable[], readAt: Date): Promise<void>
}
