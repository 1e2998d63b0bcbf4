import { readFileSync, writeFileSync } from 'node:fs'

/**
 * Writes the document anew for languages that have no room for fields that a type does not name: each object gets some,
 * so that what a newer server says can be sent back. In TypeScript this would cost the check for typos.
 */
export function openObjects (document, written) {
  const open = (_, value) =>
    value?.type === 'object' && value.properties ? { additionalProperties: true, ...value } : value
  writeFileSync(written, JSON.stringify(JSON.parse(readFileSync(document, 'utf8')), open))
}
