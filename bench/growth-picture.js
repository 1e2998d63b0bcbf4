// Curves as small pictures side by side, in one SVG.
const WIDTH = 300
const HEIGHT = 190
const EDGE = { left: 16, right: 54, top: 40, bottom: 32 }
const IN_A_COLUMN = 2

const label = (value) => Number(value.toPrecision(3)).toLocaleString('en')

/** @param curves each with its title and points; both axes are linear and begin at zero */
export function picture (curves) {
  const columns = Math.ceil(curves.length / IN_A_COLUMN)
  const parts = curves.map((curve, i) =>
    `<g transform="translate(${Math.floor(i / IN_A_COLUMN) * WIDTH} ${i % IN_A_COLUMN * HEIGHT})">${panel(curve)}</g>`)
  const [width, height] = [columns * WIDTH, IN_A_COLUMN * HEIGHT]
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">
<rect width="${width}" height="${height}" fill="#fff"/>
${parts.join('\n')}
</svg>
`
}

function panel ({ title, points }) {
  const [last] = points.at(-1)
  const most = Math.max(...points.map(([, value]) => value))
  const x = (size) => Math.round(EDGE.left + size / last * (WIDTH - EDGE.left - EDGE.right))
  const y = (value) => Math.round(HEIGHT - EDGE.bottom - value / most * (HEIGHT - EDGE.top - EDGE.bottom))
  const floor = y(0)
  const line = points.map(([size, value]) => `${x(size)},${y(value)}`).join(' ')
  return [
    `<text x="${EDGE.left}" y="18" font-weight="bold" fill="#24303c">${title}</text>`,
    `<path d="M${EDGE.left} ${floor}H${x(last)}" stroke="#b9c2cb"/>`,
    `<polyline points="${line}" fill="none" stroke="#14694f" stroke-width="2"/>`,
    ...points.map(([size, value], i) => {
      const below = i === 0 // the first two sizes stand close together
      const [cx, cy] = [x(size), y(value)]
      return `<circle cx="${cx}" cy="${cy}" r="3" fill="#14694f"/>` +
        `<text x="${cx + 5}" y="${cy + (below ? 15 : -6)}" fill="#24303c">${label(value)}</text>` +
        `<text x="${cx}" y="${floor + (below ? 26 : 14)}" text-anchor="middle" fill="#5b6875">${label(size)}</text>`
    })
  ].join('')
}
