/** Colours of series, in order; each stands out by 3 : 1 at least on white and on #1f1f1f, and neighbours differ for most who are colour-blind. */
export const PALETTE: readonly string[] = ['#2878c8', '#d9690f', '#2b9348', '#c2418f', '#8a63d2', '#a67c00', '#1297a6', '#d64545']

/** Of the card that a chart stands on, whatever the mail's own ground is. */
export const CARD = '#ffffff'
export const CARD_BORDER = '#d1d5db'
export const INK = '#1f2937'
export const SOFT_INK = '#4b5563'
export const GRID = '#e5e7eb'
