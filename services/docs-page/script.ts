/**
 * Runs in the browser before swagger-ui starts, and is its plugin `spotApi`: what swagger-ui has no setting for.
 * https://swagger.io/docs/open-source-tools/swagger-ui/customization/plugin-api/
 */
export const script = `
/** Links to the explanations of problem types. */
function linksTo (types, spec) {
  const page = spec.externalDocs.url.replace('/tree/', '/blob/') + '/errors.md#'
  return types.map((type) => type.split(':').at(-1)).map((name) => '[\`' + name + '\`](' + page + name + ')').join(', ')
}

/**
 * The document, with links from replies to the problems that they can be, and names of the objects that may be null.
 * The page may ask no server but its own.
 */
function prepared (spec) {
  spec.servers.length = 1
  const { responses, schemas } = spec.components
  for (const { properties = {} } of Object.values(schemas)) {
    for (const property of Object.values(properties)) {
      if (property.allOf) property.title = property.allOf[0].$ref.split('/').at(-1)
    }
  }
  for (const response of Object.values(responses)) {
    const { example, examples = {} } = response.content?.['application/problem+json'] ?? {}
    const values = [example, ...Object.values(examples).map(({ value }) => value)].filter(Boolean)
    if (values.length > 0) response.description += ' Such as ' + linksTo(values.map(({ type }) => type), spec) + '.'
  }
  schemas.Problem.properties.type.description += ' ' + linksTo(schemas.ProblemType.enum, spec) + '.'
  return spec
}

const wordsOf = (operation) => ['path', 'method', 'id'].map((name) => operation.get(name))
  .concat(operation.getIn(['operation', 'summary'])).join(' ').toLowerCase()

var spotApi = () => ({
  statePlugins: { spec: { wrapActions: { updateJsonSpec: (update) => (spec) => update(prepared(spec)) } } },
  fn: {
    // swagger-ui's own knows only the tags.
    opsFilter (tags, phrase) {
      const wanted = phrase.toLowerCase().split(' ')
      return tags
        .map((tag, name) => tag.update('operations', (operations) => operations.filter((operation) => {
          const words = name.toLowerCase() + ' ' + wordsOf(operation)
          return wanted.every((word) => words.includes(word))
        })))
        .filter((tag) => tag.get('operations').size > 0)
    }
  },
  wrapComponents: {
    // A string or a number is shown without a click.
    PrimitiveModel: (Original, { React }) => (props) =>
      React.createElement(Original, { ...props, depth: 0, expandDepth: 0 }),
    // The path of an operation is in a button, where no link may be.
    DeepLink: (Original, { React }) => (props) => props.path?.includes('/')
      ? React.createElement('span', null, props.text)
      : React.createElement(Original, props)
  }
})

/** What swagger-ui does not say to screen readers, or lets the keyboard not reach. */
const attributes = {
  '#swagger-ui': { role: 'main' },
  '.dialog-ux .modal-ux': { role: 'dialog', 'aria-modal': 'true', 'aria-label': 'Authorize' },
  '.modal-ux [type=submit]': { 'aria-label': 'Authorize' },
  '.modal-ux .close-modal': { 'aria-label': 'Close' },
  '.operation-filter-input': { 'aria-label': 'Filter operations', placeholder: 'Filter operations' },
  '.examples-select-element': { 'aria-label': 'Example' },
  'textarea.body-param__text': { 'aria-label': 'Request body' },
  '.copy-to-clipboard button': { 'aria-label': 'Copy' },
  '.model-box-control:not(:has(.pointer))': { 'aria-label': 'Show or hide' },
  '.microlight': { tabindex: '0' }
}

function setAttributes () {
  for (const [selector, values] of Object.entries(attributes)) {
    for (const element of document.querySelectorAll(selector)) {
      for (const [name, value] of Object.entries(values)) element.setAttribute(name, value)
    }
  }
  for (const input of document.querySelectorAll('[data-param-name] :is(input, select, textarea):not([aria-label])')) {
    input.setAttribute('aria-label', input.closest('[data-param-name]').dataset.paramName)
  }
}
new MutationObserver(setAttributes).observe(document.body, { childList: true, subtree: true })

document.addEventListener('keydown', ({ key }) => {
  const close = document.querySelector('.modal-ux .close-modal')
  if (key !== 'Escape' || !close) return
  close.click()
  document.querySelector('.scheme-container .authorize')?.focus()
})

// Without it, a phone lays the page out for a desktop. swagger-ui's page has none.
document.head.append(Object.assign(document.createElement('meta'), {
  name: 'viewport', content: 'width=device-width, initial-scale=1'
}))

const dark = matchMedia('(prefers-color-scheme: dark)')
const setColours = () => document.documentElement.classList.toggle('dark-mode', dark.matches)
dark.addEventListener('change', setColours)
setColours()
`
