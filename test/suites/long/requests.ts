// What callers send, and what they get.
import '../../contract.test.js'
import '../../examples.test.js'
import '../../http-edges.test.js'
import '../../lossless.test.js'
import '../../operations.test.js'
import '../../preconditions.test.js'
import '../../properties.test.js'
import '../../writes.test.js'
