/**
 * The error without any property of its own: those of the HTTP client carry the whole request, Authorization header
 * included, and the log prints whatever an error has. What is thrown and is no error is not shown at all.
 *
 * @param depth causes of causes that are kept
 */
export function sanitizeError (thrown: unknown, depth = 5): Error {
  if (!(thrown instanceof Error)) return new Error(`what was thrown is no error but of type ${typeof thrown}`)
  const { name, code, message, stack, cause } = thrown as Error & { code?: unknown }
  const origin = cause instanceof Error && depth > 0 ? { cause: sanitizeError(cause, depth - 1) } : {}
  return Object.assign(new Error(message, origin), { name, code, stack })
}
