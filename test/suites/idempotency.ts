// Creates with a key.
import '../idempotency.test.js'
import '../idempotency-states.test.js'
