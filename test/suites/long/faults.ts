// Damaged and full disks, servers that hang, callers that mean harm.
import '../../state-directory.test.js'
import '../../state-redis.test.js'
import '../../state-gateway.test.js'
import '../../hostile.test.js'
