import processOnSpawn from 'process-on-spawn'

// tap has every child process load a module that watches it. That costs more than most of them do themselves.
processOnSpawn.removeAllListeners()
delete process.env.NODE_OPTIONS
