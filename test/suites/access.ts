// Who calls, and what they may do.
import '../tokens.test.js'
import '../clients.test.js'
