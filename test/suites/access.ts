// Who calls, and what they may do and see.
import '../tokens.test.js'
import '../clients.test.js'
import '../masking.test.js'
