// The process: started, ended, killed, reloaded and restarted.
import '../../command-line.test.js'
import '../../server.test.js'
import '../../ending.test.js'
import '../../audit-file.test.js'
import '../../reload.test.js'
import '../../restart.test.js'
import '../../chaos.test.js'
import '../../fuzz.test.js'
