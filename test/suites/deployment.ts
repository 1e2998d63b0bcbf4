// Several servers as they are deployed, and what is watched.
import '../local.test.js'
import '../chart.test.js'
import '../dashboards.test.js'
