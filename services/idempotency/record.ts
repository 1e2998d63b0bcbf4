/** An answer as it is kept and given again. */
export interface Answer {
  status: 201
  headers: { Location: string }
  body: object
}

/** What is remembered of a key. Times are milliseconds since the epoch. */
export type KeyRecord = {
  fingerprint: string
  account: string
  operation: string
  /** When the key was first seen. */
  at: number
} & (
  /** Somebody is at it until then at the latest. Whoever finds it later knows nothing of what was sent. */
  | { state: 'open', until: number }
  /** It may have been created. `lookedAt` is when Spot was first looked through, in vain. */
  | { state: 'unknown', lookedAt?: number | undefined }
  /** Spot was looked through twice in vain: it was not created, and may be sent again. */
  | { state: 'absent' }
  /** Spot has more than one. Somebody has to choose. */
  | { state: 'duplicates' }
  /** `checkAt`: it was sent twice, so from then on one more look tells whether the first came late. */
  | { state: 'answered', answer: Answer, checkAt?: number | undefined }
)

export const readRecord = (text: string): KeyRecord => JSON.parse(text)

/** Paths of what was created, on this server. */
export const pathsOf = (answers: Answer[]) => answers.map(({ headers }) => headers.Location)

/** Whether it is to be looked into, now or later. */
export const isDoubtful = (record: KeyRecord) => dueAt(record, 0) < Infinity

/** When a record is to be looked into. */
export function dueAt (record: KeyRecord, settle: number): number {
  switch (record.state) {
    case 'open': return record.until
    case 'unknown': return record.lookedAt === undefined ? 0 : record.lookedAt + settle
    case 'answered': return record.checkAt ?? Infinity
    default: return Infinity
  }
}
