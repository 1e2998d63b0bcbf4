// What servers share in a Redis.
import '../../reads.test.js'
import '../../limit.test.js'
import '../../limit-histories.test.js'
import '../../limit-rules.test.js'
import '../../limit-shared.test.js'
import '../../polling.test.js'
