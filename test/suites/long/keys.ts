// Creates with a key, and the records of keys: in a directory, a Redis, and processes that use them.
import '../../idempotency.test.js'
import '../../state.test.js'
