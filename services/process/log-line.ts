/** Texts that JSON writes as they are. */
const plain = /^[ !#-[\]-~]*$/

/** A text as JSON. */
export const quoted = (text: string): string => plain.test(text) ? `"${text}"` : JSON.stringify(text)

/** One more field of a line of the log, as JSON; nothing where it has no value. */
export const field = (name: string, value: string | undefined): string =>
  value === undefined ? '' : `,"${name}":${quoted(value)}`

/** Some more fields of a line of the log, as JSON. */
export const fields = (values: object): string => `,${JSON.stringify(values).slice(1, -1)}`
