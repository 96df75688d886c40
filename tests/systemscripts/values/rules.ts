import type { ColumnRule } from '../../../systemscripts/copy-plan.ts'
import { RefusedValue } from '../../../systemscripts/values/refused-value.ts'
import { createConversion } from '../../../systemscripts/values.ts'

export function rule(type: string, more: Partial<ColumnRule> = {}): ColumnRule {
  const plain = {
    column: 'price',
    type,
    format: null,
    isRequired: false,
    defaultValue: null,
    nullTokens: [],
    transform: null,
    sourceZone: 'UTC',
  }
  return { ...plain, ...more }
}

/** The value, or the rule that refuses it in angle brackets. */
export function converted(text: string | null, columnRule: ColumnRule, origin: 'text' | 'typed' | 'unknown' = 'text'): string | null {
  const value = createConversion(columnRule, { isOriginUnknown: origin === 'unknown' })(text, origin === 'typed')
  return value instanceof RefusedValue ? `<${value.rule}>` : value
}
