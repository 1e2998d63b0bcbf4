// Who calls, what they may do, and what operators set.
import '../../tokens.test.js'
import '../../clients.test.js'
import '../../authority-access.test.js'
import '../../configuration.test.js'
import '../../guardrails.test.js'
import '../../masking.test.js'
import '../../authority.test.js'
import '../../authority-guardrails.test.js'
