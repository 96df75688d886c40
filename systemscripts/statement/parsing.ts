import type { Connection } from 'pg'

/** One Parse message of the extended protocol, and no Execute. Source: "Message Flow" in Postgres's manual. */
export class Parsing {
  readonly name = ''
  private readonly text: string
  private readonly resolve: () => void
  private readonly reject: (error: Error) => void

  constructor(text: string, resolve: () => void, reject: (error: Error) => void) {
    this.text = text
    this.resolve = resolve
    this.reject = reject
  }

  submit(connection: Connection): void {
    connection.parse({ name: this.name, text: this.text, types: [] }, true)
    connection.sync()
  }

  handleError(error: Error): void {
    this.reject(error)
  }

  handleReadyForQuery(): void {
    this.resolve()
  }
}
