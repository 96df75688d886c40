/** Zone in which this command line shows moments: the one of the machine it runs on. */
export function zoneHere(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone
}

/** `2026-12-24 06:20:00` in the zone of this machine; nothing for null. */
export function momentText(moment: Date | null): string | null {
  return moment === null ? null : `${dateText(moment)} ${clockText(moment)}`
}

/** `06:20:00` in the zone of this machine. */
export function clockText(moment: Date): string {
  return [moment.getHours(), moment.getMinutes(), moment.getSeconds()].map(twoDigits).join(':')
}

/** `0.4 s`, `12 s`, `2 min 5 s`, `3 h 10 min`, `2 d 4 h`: two units, the smaller one left out when it is nothing. */
export function durationText(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return twoUnits(whole, 60, 'min', 1, 's')
  if (whole < 86_400) return twoUnits(whole, 3600, 'h', 60, 'min')
  return twoUnits(whole, 86_400, 'd', 3600, 'h')
}

function dateText(moment: Date): string {
  return [String(moment.getFullYear()), twoDigits(moment.getMonth() + 1), twoDigits(moment.getDate())].join('-')
}

function twoUnits(seconds: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.floor((seconds % large) / small)
  return rest === 0 ? `${Math.floor(seconds / large)} ${largeName}` : `${Math.floor(seconds / large)} ${largeName} ${rest} ${smallName}`
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0')
}
