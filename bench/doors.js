// Other doors in front of Spot: none of them remembers what Spot said.
import { goServices } from './go-service.js'
import { nginx } from './nginx.js'

/** @returns by name those that are there: nginx where it is installed, the Go service where it is given */
export async function doors (account) {
  const proxy = await nginx(account)
  return { ...proxy && { nginx: proxy }, ...await goServices(account) }
}
