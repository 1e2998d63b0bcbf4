import { StoreError } from './error.js'
import type { Store } from './store.js'

/** Hears what went wrong when the store goes down, and of undefined when it is back; once per change. */
export type OnChange = (failure: StoreError | undefined) => void

/** Calls only when up becomes down or the other way round. At first a store is taken to be up. */
export function changesOnly (onChange: OnChange): OnChange {
  let down = false
  return (failure) => {
    if (down === Boolean(failure)) return
    down = Boolean(failure)
    onChange(failure)
  }
}

export interface Terms {
  /** Milliseconds that a call may take. */
  patience: number
  /** What a failure means to the operator. */
  explain: (cause: Error) => string
  onChange: OnChange
}

/** The store, with every failure a `StoreError` and no call that hangs. */
export function guard (store: Store, { patience, explain, onChange }: Terms): Store {
  const failed = (cause: unknown) => {
    const error = new StoreError(explain(cause as Error), { cause })
    onChange(error)
    return error
  }
  const attempt = async <T>(call: Promise<T>): Promise<T> => {
    try {
      const result = await within(patience, call)
      onChange(undefined)
      return result
    } catch (cause) {
      throw failed(cause)
    }
  }
  return {
    get: (key) => attempt(store.get(key)),
    swap: (...change) => attempt(store.swap(...change)),
    remove: (...change) => attempt(store.remove(...change)),
    async * all () {
      const records = store.all()[Symbol.asyncIterator]()
      for (;;) {
        const { done, value } = await attempt(records.next())
        if (done) return
        yield value
      }
    },
    close: () => store.close()
  }
}

async function within<T> (milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds / 1000} seconds`)), milliseconds)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
