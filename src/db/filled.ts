/** Columns of a row, null in general, that hold a value in the rows a statement looks at. */
export type Filled<Row, Column extends keyof Row> = { [Name in Column]: NonNullable<Row[Name]> }
