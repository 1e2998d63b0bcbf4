// Usage: node generate.js DOCUMENT FOLDER
import { createClient } from '@hey-api/openapi-ts'

const [document, folder] = process.argv.slice(2)

await createClient({
  input: document,
  output: { path: folder, module: { extension: '.js' } },
  plugins: ['@hey-api/typescript', '@hey-api/sdk', { name: '@hey-api/client-fetch', throwOnError: true }],
  logs: { level: 'error', file: false }
})
