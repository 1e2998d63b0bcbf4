/** Parameters of a list that ask for a part of it. */
export interface Paging {
  limit?: number
  after?: string
}

/** A part of a list, and the header that leads to the next one. */
interface Page<T> { items: T[], headers: { Link?: string } }

const byId = (one: { id: string }, other: { id: string }) => one.id < other.id ? -1 : 1

/**
 * The page that a request asks for: sorted by id, so that it does not matter what comes and goes between two pages. All
 * items, in their order, where no page is asked for.
 *
 * @param url path and query of the request; the next page has the same filters
 */
export function pageOf<T extends { id: string }> (items: T[], { limit, after }: Paging, url: string): Page<T> {
  if (limit === undefined && after === undefined) return { items, headers: {} }
  const rest = items.filter(({ id }) => after === undefined || id > after).sort(byId)
  const page = rest.slice(0, limit)
  const last = page.at(-1)
  return { items: page, headers: last && page.length < rest.length ? { Link: nextPage(url, last.id) } : {} }
}

/** A link as in https://www.rfc-editor.org/rfc/rfc8288. */
function nextPage (url: string, after: string): string {
  const [path = '', ...query] = url.split('?')
  const parameters = new URLSearchParams(query.join('?'))
  parameters.set('after', after)
  return `<${path}?${parameters}>; rel="next"`
}
