export { visitLeaves } from './leaves.js'
export { masked, maskedInTurns } from './masked.js'
export { masksIn } from './masks-in.js'
export { MASK, MASK_BASE64, harmless, maskOf, secrets } from './secrets.js'
