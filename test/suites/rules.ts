// What operators set, and what may not get out.
import '../guardrails.test.js'
import '../configuration.test.js'
import '../structure.test.js'
import '../secrets.test.js'
