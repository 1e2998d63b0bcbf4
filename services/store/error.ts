/** The store can not be used for now. Says why and what to do, for the operator; there is no secret in it. */
export class StoreError extends Error {
  override name = 'StoreError'
}
