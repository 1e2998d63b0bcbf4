// The simulated Spot.
import '../sandbox.test.js'
import '../sandbox-operations.test.js'
import '../sandbox-wire.test.js'
import '../model.test.js'
