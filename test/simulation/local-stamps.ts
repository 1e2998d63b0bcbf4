import { localStamps, type Stamps } from '../../services/spot/stages/memory/stamps.js'

let now = () => 0
let histories = 0

/** All servers that are alone use these: making room for 100,000 names takes longer than a history. */
const stamps = localStamps(() => now())

/** The stamps of one server that is alone. No other server sees them. */
export function stampsOf (clock: { now (): number }): Stamps {
  const prefix = `${++histories} `
  const own = (names: readonly string[]) => {
    now = () => clock.now()
    return names.map((name) => prefix + name)
  }
  return {
    timeout: stamps.timeout,
    read: (names) => stamps.read(own(names)),
    renew: (names, excludeFor) => stamps.renew(own(names), excludeFor)
  }
}
