import { localCounters, type Counters } from '../../services/spot/stages/memory/counters.js'

let now = () => 0
let histories = 0

/** The one that all servers without others have: room for 100,000 names takes longer to make than a history to play. */
const counters = localCounters(() => now())

/** Counters of one server that is alone, which have nothing in common with those of any other. */
export function countersOf (clock: { now (): number }): Counters {
  const prefix = `${++histories} `
  const own = (names: readonly string[]) => {
    now = () => clock.now()
    return names.map((name) => prefix + name)
  }
  return {
    patience: counters.patience,
    read: (names) => counters.read(own(names)),
    change: (names, holdFor) => counters.change(own(names), holdFor)
  }
}
