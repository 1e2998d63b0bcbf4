// Damaged and full disks, servers that hang, callers that mean harm.
import '../../state-faults.test.js'
import '../../hostile.test.js'
