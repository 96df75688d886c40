import { connect } from 'node:net'

/**
 * Opens a TCP connection and closes it again. Names with several addresses are tried in turn.
 *
 * @returns milliseconds until the host answered.
 * @throws the operating system's error, or the signal's reason.
 */
export async function reach(host: string, port: number, signal: AbortSignal): Promise<number> {
  signal.throwIfAborted()
  const begun = performance.now()
  const socket = connect({ host, port })
  const stop = () => socket.destroy()
  signal.addEventListener('abort', stop, { once: true })
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
      socket.once('close', () => reject(signal.reason))
    })
    return performance.now() - begun
  } finally {
    signal.removeEventListener('abort', stop)
    socket.destroy()
  }
}
