/** Something that is still to happen, as data, so that it can be saved. */
export interface Due {
  /** Milliseconds since the epoch. */
  at: number
  /** Name of a task in `tasks.ts`. */
  task: string
  /** What it is about: first a resource, or a migration. */
  ids: string[]
}

/** What to do, at `at`, with the subject and the other ids of a `Due`. */
export type Task<Subject> = (subject: Subject, ids: string[], at: number) => void

/** Scheduled work, earliest first. There are no timers: each call first runs what has come due. */
export class Agenda {
  readonly due: Due[] = []

  /** Schedules a task for when the clock has reached `at` (milliseconds since the epoch). */
  add (at: number, task: string, ids: string[]): void {
    const index = this.due.findIndex((entry) => entry.at > at)
    this.due.splice(index === -1 ? this.due.length : index, 0, { at, task, ids })
  }

  /** Takes out the earliest entry that is due at `now`. */
  next (now: number): Due | undefined {
    return this.due[0] !== undefined && this.due[0].at <= now ? this.due.shift() : undefined
  }
}
