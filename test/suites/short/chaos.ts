// Servers that are killed.
import '../../chaos.test.js'
