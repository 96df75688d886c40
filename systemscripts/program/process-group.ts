import { type ChildProcess, spawn } from 'node:child_process'

/** Sends a signal to a process and all that it started in its group; false when none of them is left. */
export function signalGroup(pid: number, signal: 'SIGTERM' | 'SIGKILL' | 0): boolean {
  try {
    if (process.platform !== 'win32') return process.kill(-pid, signal)
    if (signal !== 0) spawn('taskkill', ['/pid', String(pid), '/t', '/f'], { stdio: 'ignore', windowsHide: true }).on('error', () => {})
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/**
 * Ends a group should this process die without having done so, even by kill -9: a guard waits at a pipe that closes with us, then sends
 * TERM, and KILL after five seconds. Null where there is no `sh`.
 *
 * @returns dismisses the guard.
 */
export function guardGroup(pid: number): () => void {
  if (process.platform === 'win32') return () => {}
  const guard: ChildProcess = spawn('/bin/sh', ['-c', guardScript, 'rota-guard', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // a session of its own, so that a Ctrl-C at our terminal does not end it
    detached: true,
    env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
    cwd: '/',
  })
  guard.on('error', () => {})
  guard.stdin?.on('error', () => {})
  guard.unref()
  return () => guard.kill('SIGKILL')
}

const guardScript = 'trap \'\' HUP INT TERM; read -r _; kill -s TERM -- "-$1" || exit 0; sleep 5; kill -s KILL -- "-$1"'
