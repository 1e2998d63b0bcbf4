// What may not get out, and what is measured.
import '../secrets.test.js'
import '../metrics.test.js'
