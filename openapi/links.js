// The links from a create to what can be done with what it made. redocly adds them when it bundles or lints the
// document: they follow from the paths that begin with the path of the create and the id of one.

const METHODS = ['get', 'post', 'put', 'delete']

/** Where the id of what was made is, if not in `id`. */
const ids = { createImport: 'migrationId' }

const namesIn = (path) => [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)

/** Operations on one of what a path lists, that need no other id than its own. */
function operationsOn (listPath, items) {
  const isOne = new RegExp(`^${listPath.replace(/[{}]/g, '\\$&')}/\\{(\\w+)\\}(/|$)`)
  return Object.entries(items).flatMap(([path, item]) => {
    const [, id] = isOne.exec(path) ?? []
    if (id === undefined || namesIn(path).at(-1) !== id) return []
    return METHODS.flatMap((method) => item[method] ? [{ id, operationId: item[method].operationId }] : [])
  })
}

function linksOf (path, items) {
  const made = `$response.body#/${ids[items[path].post.operationId] ?? 'id'}`
  const known = Object.fromEntries(namesIn(path).map((name) => [name, `$request.path.${name}`]))
  return Object.fromEntries(operationsOn(path, items).map(({ id, operationId }) =>
    [operationId, { operationId, parameters: { ...known, [id]: made } }]))
}

const addLinks = () => ({
  Paths (paths, { resolve }) {
    const items = Object.fromEntries(Object.entries(paths).map(([path, item]) =>
      [path, item.$ref ? resolve(item).node : item]))
    for (const [path, { post }] of Object.entries(items)) {
      const created = post?.responses['201']
      if (created) created.links = linksOf(path, items)
    }
  }
})

export default () => ({ id: 'links', preprocessors: { oas3: { 'from-creates': addLinks } } })
