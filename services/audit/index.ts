export { bodyValuesOf, hashOf, type BodyValue } from './changes.js'
export { auditLog, type AuditLog, type OnChange } from './log.js'
