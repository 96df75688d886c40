import type { Grid } from '../grid.ts'

/** The sheets of a workbook in its order, or the tables of a page. */
export interface Workbook {
  /** Those without cells (charts, macro sheets) count, since people count tabs. */
  sheets: { name: string; isHidden: boolean; hasCells: boolean }[]
  /**
   * `index` from 0.
   * @param hasTypes whether rows say what their cells are. Default false.
   * @throws PermanentError `sheet_without_cells`
   */
  grid(index: number, hasTypes?: boolean): Grid
}
