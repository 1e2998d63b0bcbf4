// What servers share in a Redis.
import '../../reads.test.js'
import '../../limit.test.js'
import '../../polling.test.js'
