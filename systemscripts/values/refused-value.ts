import type { Refusal } from '../copy-plan.ts'

/** What a conversion answers when a value does not fit. One instance serves all values of a column that are refused for the same reason. */
export class RefusedValue implements Refusal {
  readonly rule: string
  /** One clause that names the column and says what it needs; without the value, so that the same trouble reads the same in every row. */
  readonly message: string

  constructor(rule: string, message: string) {
    this.rule = rule
    this.message = message
  }
}

/** A value on its way: text, null, or refused. */
export type Converted = string | null | RefusedValue
