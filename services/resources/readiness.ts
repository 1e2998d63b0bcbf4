import type { components } from '../../openapi/types.js'

type Schemas = components['schemas']
type Readiness = Schemas['Readiness']

/** Seconds until it makes sense to ask again: a spot request takes about that long. */
const ASK_AGAIN = 15

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

/** The headers of the answer: when to ask again, while it is not ready. */
export const retryAfterHeaders = ({ ready }: Readiness): { 'Retry-After'?: string } =>
  ready ? {} : { 'Retry-After': String(ASK_AGAIN) }
