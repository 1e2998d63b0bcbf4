export { bodyValuesOf, hashOf, type BodyValue } from './changes.js'
export { documentedPaths } from './documented.js'
export { auditLog, type AuditLog, type OnChange } from './log.js'
