import type { ProblemError } from '../../problems/index.js'
import type { Standing } from '../change.js'
import { breach } from '../locations.js'
import { placesOf, quoted, textOf, type Path } from '../places.js'

/** The same operating system, whether Spot adds the network or not. */
const plain = (product: string) => product.replace(/ \(Amazon VPC\)$/, '')

export function products (allowed: string[], { after, locate }: Standing): ProblemError[] {
  const only = `and only ${allowed.join(', ')} ${allowed.length > 1 ? 'are' : 'is'} allowed`
  const say = (path: Path, words: string) => breach(locate(path), 'products', `${words}, ${only}`)
  const [place] = placesOf(after, 'compute.product')
  if (place === undefined) return [say(['compute', 'product'], 'has to be set')]
  const text = textOf(place)
  if (text === undefined) return [say(place.path, 'is no text, so it can not be judged')]
  return allowed.some((product) => plain(product) === plain(text)) ? [] : [say(place.path, `is ${quoted(text)}`)]
}
