/** `lane:plant_a` names a lane where else a schedule is named; null for a schedule. */
export function laneIn(word: string): string | null {
  return word.startsWith('lane:') ? word.slice('lane:'.length) : null
}
