import type { ClientBase } from 'pg'

/** How far a job got, per config: dba.bookmark. */
export interface Bookmarks {
  /** The stored position, or null when there is none yet. */
  read(bookmarkName?: string): Promise<unknown>
  /** Moves the position inside the job's own transaction, so that it moves with the data or not at all. */
  move(client: ClientBase, value: unknown, bookmarkName?: string): Promise<void>
  /** For targets outside this Postgres: moves the position after the other side has confirmed. */
  confirmed(value: unknown, bookmarkName?: string): Promise<void>
}
