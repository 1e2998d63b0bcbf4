// What must survive: a directory, a Redis, and processes that use them.
import '../state.test.js'
