// The process: several at a time.
import '../server.test.js'
import '../ending.test.js'
import '../audit-file.test.js'
