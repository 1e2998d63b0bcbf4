// Servers that are restarted and reloaded.
import '../reload.test.js'
import '../restart.test.js'
