// The docs page, in Chromium.
import '../../docs.test.js'
