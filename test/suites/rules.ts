// What operators set, and how the code is arranged.
import '../guardrails.test.js'
import '../configuration.test.js'
import '../masking.test.js'
import '../structure.test.js'
