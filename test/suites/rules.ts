// What operators set, what the pages say, and how the code is arranged.
import '../configuration.test.js'
import '../guardrails.test.js'
import '../masking.test.js'
import '../pages.test.js'
import '../structure.test.js'
