export { changesOf, hashOf, type Change } from './changes.js'
export { auditLog, type AuditLog, type OnChange } from './log.js'
