// Calls to Spot: what may go wrong with them, what may not get out, and what is measured.
import '../../outcomes.test.js'
import '../../resilience.test.js'
import '../../containment.test.js'
import '../../secrets.test.js'
import '../../metrics.test.js'
import '../../metrics-spot.test.js'
