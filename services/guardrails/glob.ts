/**
 * Whether a text matches a glob: `*` is any text, also none, `?` is one character. Texts come from callers, so this
 * takes no more than (length of the glob) × (length of the text) steps, which a regular expression does not promise.
 */
export function matches (glob: string, text: string): boolean {
  let at = 0
  let star = -1
  let resume = 0
  for (let i = 0; i < text.length;) {
    if (glob[at] === '*') {
      star = at++
      resume = i
    } else if (glob[at] === '?' || glob[at] === text[i]) {
      at++
      i++
    } else if (star >= 0) {
      at = star + 1
      i = ++resume
    } else {
      return false
    }
  }
  while (glob[at] === '*') at++
  return at === glob.length
}
