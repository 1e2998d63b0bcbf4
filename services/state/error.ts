/** The state cannot be used now. Says why and what to do, for the operator; there is no secret in it. */
export class StateError extends Error {
  override name = 'StateError'
}
