// Servers that are restarted, reloaded and attacked.
import '../reload.test.js'
import '../restart.test.js'
import '../hostile.test.js'
