/**
 * Whether a text matches a glob, in which `*` is any text, also none. Callers choose both, so this takes at most
 * (length of the glob) × (length of the text) steps, which a regular expression does not promise.
 *
 * @param one what stands for any one character; default: nothing does
 */
export function matches (glob: string, text: string, one = ''): boolean {
  const [first = '', ...parts] = glob.split('*')
  const last = parts.pop()
  if (last === undefined) return text.length === first.length && startsAt(text, first, 0, one)
  const end = text.length - last.length
  let at = first.length
  if (at > end || !startsAt(text, first, 0, one) || !startsAt(text, last, end, one)) return false
  for (const part of parts) {
    const found = find(text, part, at, one)
    if (found < 0) return false
    at = found + part.length
  }
  return at <= end
}

function startsAt (text: string, part: string, at: number, one: string): boolean {
  for (let i = 0; i < part.length; i++) if (part[i] !== one && part[i] !== text[at + i]) return false
  return true
}

function find (text: string, part: string, from: number, one: string): number {
  if (one === '' || !part.includes(one)) return text.indexOf(part, from)
  for (let at = from; at + part.length <= text.length; at++) if (startsAt(text, part, at, one)) return at
  return -1
}
