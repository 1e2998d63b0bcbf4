// Creates with a key, and the records of keys: in a directory, a Redis, and processes that use them; damaged and full
// disks, servers that hang, callers that mean harm.
import '../../idempotency.test.js'
import '../../state.test.js'
import '../../state-directory.test.js'
import '../../state-redis.test.js'
import '../../state-gateway.test.js'
import '../../hostile.test.js'
