/** A listener rule on its way to Intelligent Traffic Flow (ITF). Its status depends only on attempts and clock. */
export interface ListenerRuleMigration {
  id: string
  ruleArn: string
  /** 1 at first. */
  attempt: number
  /** Milliseconds since the epoch. */
  createdAt: number
  /** When the latest attempt began. */
  startedAt: number
}
