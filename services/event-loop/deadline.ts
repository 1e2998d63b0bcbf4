/**
 * The result, or `late()` thrown when the timer ends first.
 *
 * @param start starts the timer, and returns what cancels it
 */
export async function withTimer<T> (
  result: Promise<T>, start: (end: () => void) => () => void, late: () => Error
): Promise<T> {
  let cancel = () => {}
  const over = new Promise<never>((_resolve, reject) => {
    cancel = start(() => reject(late()))
  })
  try {
    return await Promise.race([result, over])
  } finally {
    cancel()
  }
}
