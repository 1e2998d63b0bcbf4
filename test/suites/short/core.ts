// The pieces of the core, one by one, and all of them in simulated time.
import '../../memory.test.js'
import '../../idempotency-faults.test.js'
import '../../idempotency-histories.test.js'
import '../../idempotency-states.test.js'
import '../../simulation.test.js'
import '../../large-lists.test.js'
import '../../lifecycle.test.js'
import '../../hang-up.test.js'
