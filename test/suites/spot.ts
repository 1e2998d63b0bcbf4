// Calls to Spot, and what may go wrong with them.
import '../outcomes.test.js'
import '../resilience.test.js'
import '../containment.test.js'
