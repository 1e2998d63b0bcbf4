/** Calm colours that can be read, and less of what says nothing here: one server, one media type a reply, no links. */
export const css = `
  :root { color-scheme: light dark }
  body { background: #fff }
  @media (prefers-color-scheme: dark) { body { background: #1c2022 } }
  .swagger-ui { --ink: #24303c; --line: #dde3e8; --accent: #14694f }
  .swagger-ui .opblock-get { --method: #1b5fa8 }
  .swagger-ui .opblock-post { --method: #14694f }
  .swagger-ui .opblock-put { --method: #94560a }
  .swagger-ui .opblock-delete { --method: #b0241c }
  .swagger-ui .opblock-patch { --method: #6a4091 }

  .swagger-ui .info { margin: 2rem 0 1rem }
  .swagger-ui .info .title, .swagger-ui .opblock-tag { color: var(--ink) }
  .swagger-ui .info .title small { background: #5b6875 }
  .swagger-ui .info .title small.version-stamp { background: var(--accent) }
  .swagger-ui .info .description { max-width: 62rem }
  .swagger-ui .info ul { padding-left: 1.25rem }
  .swagger-ui .info li { margin: .25rem 0 }
  .swagger-ui .info :is(p, li, a), .swagger-ui .renderedMarkdown p { font-size: .875rem; line-height: 1.55 }
  .swagger-ui a.link, .swagger-ui .info a { color: #1b5fa8 }
  .swagger-ui .markdown code, .swagger-ui .renderedMarkdown code {
    padding: .1em .35em; color: var(--ink); background: #eef1f4; font-size: .93em; font-weight: 500
  }

  .swagger-ui .scheme-container { padding: 0 0 1rem; margin: 0; box-shadow: none }
  .swagger-ui .scheme-container .schemes { justify-content: flex-start }
  .swagger-ui .btn.authorize { background: var(--accent); border-color: var(--accent) }
  .swagger-ui .auth-wrapper .authorize { margin: 0 }
  .swagger-ui .auth-btn-wrapper { gap: .5rem }
  .swagger-ui .auth-container input[type=text] { width: 100%; max-width: none }

  .swagger-ui .opblock-tag { gap: 0 .75rem; padding: .75rem 0; border-bottom-color: var(--line) }
  .swagger-ui .opblock-tag small { padding: 0 }
  .swagger-ui .opblock.opblock { margin: 0 0 .5rem; background: #fff; border-color: var(--line); box-shadow: none }
  .swagger-ui .opblock.opblock { border-left: 4px solid var(--method) }
  .swagger-ui .opblock.opblock .opblock-summary { border-color: var(--line) }
  .swagger-ui .opblock.opblock .opblock-summary-method { min-width: 5.25rem; background: var(--method) }
  .swagger-ui .opblock.opblock .opblock-summary-path { font-size: .9rem; font-weight: 500; color: var(--ink) }
  .swagger-ui .opblock.opblock .tab-header .tab-item.active h4 span::after { background: var(--method) }
  .swagger-ui .opblock.opblock .opblock-section-header { background: #f6f8fa; box-shadow: none }
  .swagger-ui textarea.body-param__text { min-height: 24rem; border: 1px solid #b9c2cb }
  .swagger-ui .btn.execute.execute { background: var(--accent); border-color: var(--accent) }

  .swagger-ui .operation-filter-input.operation-filter-input { margin: 0; border-color: #b9c2cb }
  .swagger-ui :is(.parameter__in, .property.property.property, .prop-format) { color: #545d66 }
  .swagger-ui .download-contents.download-contents { background: #545d66 }
  html.dark-mode .swagger-ui :is(.parameter__in, .property.property.property, .prop-format) { color: #b7bcbf }
  html.dark-mode .swagger-ui .opblock.opblock.opblock .opblock-section-header { background: #2a2e30 }
  html.dark-mode .swagger-ui :is(.header-col, .examples-select__section-label) { color: #e4e6e6 }
  .swagger-ui .btn.authorize { color: #fff !important }
  .swagger-ui .btn.authorize svg { fill: #fff !important }

  .swagger-ui .response-col_status { font-weight: 600 }
  .swagger-ui .responses-inner td { padding-top: .75rem }
  .swagger-ui .headers :is(td, p) { font: .8125rem/1.5 sans-serif }

  .swagger-ui .scheme-container .schemes > .schemes-server-container,
  .swagger-ui :is(.try-out__btn.cancel, .response-controls, .response-col_links) { display: none }
  .swagger-ui .model-hint { display: none !important }
  @media (max-width: 640px) {
    .swagger-ui .opblock-tag { flex-wrap: wrap }
    .swagger-ui .opblock-tag small { order: 1; flex: 100% }
    .swagger-ui .opblock.opblock .opblock-summary-method { min-width: 4rem; padding: .4rem 0; font-size: .75rem }
    .swagger-ui .opblock.opblock .opblock-summary-path { max-width: none; font-size: .8rem }
    .swagger-ui :is(.parameters, .responses-table) > thead { display: none }
    .swagger-ui :is([class*=parameters-col_], [class*=response-col_]):not(.response-col_links) {
      display: block; width: 100%; padding: .5rem 0 0
    }
    .swagger-ui table.model td { display: block; padding-left: 0 }
    .swagger-ui table.model table.model { margin-left: 0 }
  }
`

/** A banner over the page, so that nobody takes the sandbox for Spot. */
export const sandboxCss = `
  body::before {
    display: block; padding: .75rem 1rem; text-align: center; font: 600 .875rem/1.4 sans-serif;
    color: #5c3d00; background: #ffefc9; border-bottom: 1px solid #eccf8a;
    content: 'Sandbox: a simulated Spot. Nothing here is real, nothing costs money. '
      'Authorize with the X-Auth-Token that the server printed when it started.'
  }
`

export const favicon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<rect width="32" height="32" rx="7" fill="#14694f"/>
<circle cx="16" cy="16" r="9" fill="none" stroke="#fff" stroke-width="3"/>
<circle cx="16" cy="16" r="3.5" fill="#fff"/></svg>`
