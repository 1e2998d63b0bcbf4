import type { ProblemError } from '../../problems/index.js'
import type { JsonPath } from '../../problems/pointer.js'
import type { ResultingChange } from '../change.js'
import { breach } from '../locations.js'
import { quoted, textOf, valuesOf } from '../values.js'

/** The operating system, without the network that Spot may add. */
const plain = (product: string) => product.replace(/ \(Amazon VPC\)$/, '')

export function products (allowed: string[], { after, locate }: ResultingChange): ProblemError[] {
  const only = `and only ${allowed.join(', ')} ${allowed.length > 1 ? 'are' : 'is'} allowed`
  const say = (path: JsonPath, words: string) => breach(locate(path), 'products', `${words}, ${only}`)
  const [value] = valuesOf(after, 'compute.product')
  if (value === undefined) return [say(['compute', 'product'], 'must be set')]
  const text = textOf(value)
  if (text === undefined) return [say(value.path, 'must be a string')]
  return allowed.some((product) => plain(product) === plain(text)) ? [] : [say(value.path, `is ${quoted(text)}`)]
}
