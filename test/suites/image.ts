// The container image.
import '../image.test.js'
