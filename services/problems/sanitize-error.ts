/**
 * The error without further properties: those of the HTTP client contain the whole request, Authorization header
 * included, and the log prints every property. A thrown value that is not an error is not shown.
 *
 * @param depth causes of causes that are kept
 */
export function sanitizeError (thrown: unknown, depth = 5): Error {
  if (!(thrown instanceof Error)) return new Error(`a value of type ${typeof thrown} was thrown`)
  const { name, code, message, stack, cause } = thrown as Error & { code?: unknown }
  const origin = cause instanceof Error && depth > 0 ? { cause: sanitizeError(cause, depth - 1) } : {}
  return Object.assign(new Error(message, origin), { name, code, stack })
}
