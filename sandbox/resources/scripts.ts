import { isObject, read } from '../protocol/json.js'
import type { JsonObject } from '../protocol/json.js'

const SCRIPTS = ['userData', 'shutdownScript']
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/**
 * The content without scripts that are not base64. The vendor answers 200 to those, moves `updatedAt` and keeps the
 * old value: seen by arnstarn/mcp-server-spotinst 0.7.0 (an Ocean launch specification on the same API).
 */
export function dropPlainScripts (content: JsonObject): JsonObject {
  const specification = read(content, 'compute.launchSpecification')
  if (!isObject(specification) || !SCRIPTS.some((key) => isPlain(specification[key]))) return content
  const kept = Object.entries(specification).filter(([key, value]) => !SCRIPTS.includes(key) || !isPlain(value))
  const compute = { ...content.compute as JsonObject, launchSpecification: Object.fromEntries(kept) }
  return { ...content, compute }
}

function isPlain (value: unknown): boolean {
  return typeof value === 'string' && !BASE64.test(value.replace(/[\r\n]/g, ''))
}
