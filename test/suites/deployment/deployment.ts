// How it is deployed: the package, the image, the chart, several servers behind nginx, and what is watched.
import '../../image.test.js'
import '../../local.test.js'
import '../../chart.test.js'
import '../../dashboards.test.js'
import '../../sandbox-package.test.js'
import '../../traces.test.js'
