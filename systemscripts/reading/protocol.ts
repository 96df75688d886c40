import type { CopyFormat, CopyPiece, CopyPlan } from '../copy-plan.ts'
import type { FourFields } from '../errors.ts'
import type { FileKind } from '../file-kind.ts'
import type { TypedCell } from '../grid.ts'
import type { EmptyFormulas, TableFacts, TableRow } from '../table.ts'

/** What a thread is to read: plain data, since it crosses to the thread. */
export interface ReadRequest {
  path: string
  kind: 'auto' | FileKind
  sheet: string | number | null
  /** Which files of an archive; null: all. */
  memberPattern: string | null
  cellRange: string | null
  headerRow: number | null
  headerRows: number
  delimiter: string | null
  quote: string | null
  encoding: string | null
  skipHidden: boolean
  endsWhen: string | null
  /** Null: what the kind allows. */
  maxUnpackedBytes: number | null
}

/**
 * What the thread is told. `open` and `rows` are answered by nothing; `next` and `widen` by `table` or `done`, `copy` by `format`, each `more` by one batch,
 * piece or `end`, `close` by `closed`; each of them by `refused` or `failed` instead when it went wrong. Answers come in the order of the words.
 */
export type ThreadWord =
  | { type: 'open'; request: ReadRequest; as: 'tables' | 'cells' }
  | { type: 'next' }
  /** The table again, with all its columns. */
  | { type: 'widen' }
  | { type: 'rows' }
  | { type: 'copy'; plan: CopyPlan }
  | { type: 'more' }
  | { type: 'close' }

export type ThreadAnswer =
  | { type: 'table'; facts: TableFacts }
  | { type: 'done' }
  | { type: 'format'; format: CopyFormat }
  | { type: 'rows'; rows: TableRow[] }
  | { type: 'cells'; cells: TypedCell[] }
  | { type: 'piece'; piece: CopyPiece }
  | { type: 'end'; emptyFormulas: EmptyFormulas[] }
  /** Everything is let go; `heapBytes` is what the thread holds all the same. */
  | { type: 'closed'; heapBytes: number }
  | { type: 'refused'; isPermanent: boolean; error: FourFields }
  | { type: 'failed'; name: string; message: string; code: string | null; stack: string | null }
