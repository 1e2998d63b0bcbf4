// Creates with a key.
import '../idempotency.test.js'
