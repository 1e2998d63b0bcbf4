export { changesOf, type Change } from './changes.js'
export { auditLog, type AuditLog, type Tell } from './log.js'
