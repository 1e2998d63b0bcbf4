import type { components } from '../../openapi/types.js'

type Schemas = components['schemas']
type Readiness = Schemas['Readiness']

/**
 * Minutes since something last changed, and seconds after which to ask again while it is younger. The later ones are
 * multiples of the earlier: who is told 60 comes at a moment at which others come who were told 5.
 */
const INTERVALS = [[2, 5], [10, 15], [60, 30], [Infinity, 60]] as const

/** The most while Spot works on it, however long ago that began. */
const MOST_AT_WORK = 15

/** Words in the state of an instance that is terminating. */
const leaving = /terminat|shutting|stopp|marked/i

/**
 * Whether a group is up: as many instances run as its target says. A group whose unit is weight is up when none of its
 * requests is open, since a row does not have its weight.
 */
export function readinessOfElastigroup (
  { capacity }: Schemas['Elastigroup'],
  rows: Schemas['ElastigroupStatus']
): Readiness {
  const runs = rows.filter(({ instanceId, status }) => instanceId && !leaving.test(status ?? ''))
  const running = runs.length
  const waiting = rows.filter(({ instanceId }) => !instanceId)
  const states = [...new Set(waiting.map(({ status }) => status ?? 'unknown'))]
  const why = states.length > 0 ? ` (${states.join(', ')})` : ''

  if (capacity?.target == null) return { ready: false, running, target: null, reasons: ['Spot shows no target.'] }
  if (capacity.unit === 'weight') {
    const missing = running === 0 && capacity.target > 0 ? ['No instance is running yet.'] : []
    const reasons = waiting.length > 0 ? [`${waiting.length} requests are open${why}.`] : missing
    return { ready: reasons.length === 0, running, target: null, reasons }
  }
  const { target } = capacity
  const reasons = running < target ? [`${target - running} of ${target} instances are not running yet${why}.`] : []
  return { ready: reasons.length === 0, running, target, reasons }
}

/** Whether a managed instance is up: it is active and has a running EC2 instance. */
export function readinessOfManagedInstance ({ status, instanceId }: Schemas['ManagedInstanceStatus']): Readiness {
  const running = instanceId && !leaving.test(status ?? '') ? 1 : 0
  const reasons = [
    ...status === 'ACTIVE' ? [] : [`Its state is ${status ?? 'not known yet'}.`],
    ...running ? [] : ['It has no running EC2 instance.']
  ]
  return { ready: reasons.length === 0, running, target: 1, reasons }
}

/** Seconds after which to ask again, by when something last changed. Spot does not always say that. */
function intervalOf (changes: (string | null | undefined)[], now: number): number {
  const known = changes.map((change) => Date.parse(change ?? '')).filter((time) => !Number.isNaN(time))
  const minutes = (now - Math.max(...known)) / 60_000
  const [, seconds] = INTERVALS.find(([limit]) => minutes < limit) ?? [0, MOST_AT_WORK]
  return seconds
}

/** The headers of the answer: how often to ask, while it is not ready. */
const retryAfter = ({ ready }: Readiness, seconds: number): { 'Retry-After'?: string } =>
  ready ? {} : { 'Retry-After': String(seconds) }

/** For a group: by its last change, and its last instance or request. Spot fulfils most requests soon, or late. */
export const retryAfterOfElastigroup = (
  readiness: Readiness,
  { updatedAt, createdAt }: Schemas['Elastigroup'],
  rows: Schemas['ElastigroupStatus'],
  now = Date.now()
) => retryAfter(readiness, intervalOf([updatedAt, createdAt, ...rows.map(({ createdAt }) => createdAt)], now))

/** For a managed instance: often while Spot takes it from one state to another, which it does not date. */
export const retryAfterOfManagedInstance = (
  readiness: Readiness, { status, createdAt, launchedAt }: Schemas['ManagedInstanceStatus'], now = Date.now()
) => {
  const seconds = intervalOf([createdAt, launchedAt], now)
  return retryAfter(readiness, /ing$/i.test(status ?? 'pending') ? Math.min(seconds, MOST_AT_WORK) : seconds)
}
