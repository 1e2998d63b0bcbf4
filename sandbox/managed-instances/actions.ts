import type { Context, Operation } from '../operation.js'
import { readBody } from '../protocol/body.js'
import { invalid, refusal } from '../protocol/errors.js'
import { readObjects, readString } from '../protocol/json.js'
import { findManagedInstance, lookUp } from './engine.js'
import { changeState, checkState } from './states.js'
import type { Verb } from './states.js'

/** Pausing, resuming and recycling, one by one or many at once. */
export const actions: Operation[] = [
  action('pause'),
  action('resume'),
  action('recycle'),
  { method: 'PUT', path: '/aws/ec2/managedInstance/state', handle: changeMany }
]

function action (verb: Verb): Operation {
  const handle = (context: Context) => {
    const instance = findManagedInstance(context)
    checkState(instance, verb)
    changeState(instance, verb, context.now)
    return undefined
  }
  return { method: 'PUT', path: `/aws/ec2/managedInstance/{MI_ID}/${verb}`, handle }
}

/** All or nothing: if one instance is unknown or in the wrong state, none is changed. */
function changeMany ({ account, body, now }: Context): undefined {
  const sent = readObjects(readBody(body, [
    { path: 'managedInstanceStates', type: 'array', required: true, minItems: 1 },
    { path: 'managedInstanceStates[]', type: 'object' },
    { path: 'managedInstanceStates[].id', type: 'string', required: true },
    { path: 'managedInstanceStates[].state', type: 'string', required: true, oneOf: ['PAUSE', 'RESUME'] }
  ]), 'managedInstanceStates')
  const ids = sent.map((entry) => readString(entry, 'id'))
  const duplicate = ids.findIndex((id, index) => ids.indexOf(id) < index)
  if (duplicate !== -1) {
    const field = `managedInstanceStates.${duplicate}`
    throw invalid([{ message: `"${duplicate}" contains a duplicate value`, field }])
  }
  const changes = sent.map((entry) => {
    const id = readString(entry, 'id')
    const instance = lookUp(account, id)
    if (instance === undefined) throw refusal('MANAGED_INSTANCE_DOESNT_EXIST', `Managed instance ${id} doesn't exist`)
    const verb: Verb = readString(entry, 'state') === 'PAUSE' ? 'pause' : 'resume'
    checkState(instance, verb)
    return { instance, verb }
  })
  for (const { instance, verb } of changes) changeState(instance, verb, now)
}
