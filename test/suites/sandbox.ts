// The simulated Spot.
import '../model.test.js'
import '../sandbox-bodies.test.js'
import '../sandbox-elastigroups.test.js'
import '../sandbox-http.test.js'
import '../sandbox-instances.test.js'
import '../sandbox-rolls.test.js'
import '../sandbox-wire.test.js'
