// What a figure is, and how it is written down.

/** Seconds that a load lasts. With less than 2 each figure is taken once, for a quick look. */
export const seconds = Number(process.env.BENCH_SECONDS ?? 2)

/** Times that a figure and its peer are taken, one after the other. */
export const runs = seconds < 2 ? 1 : 5

/**
 * Takes turns, so that whatever else the machine does befalls all of them alike.
 *
 * @param measures by name: what is measured once a run
 * @returns by name: what came of it, run by run
 */
export async function alternate (measures, times = runs) {
  const taken = Object.fromEntries(Object.keys(measures).map((name) => [name, []]))
  for (let run = 0; run < times; run++) {
    for (const [name, measure] of Object.entries(measures)) taken[name].push(await measure())
  }
  return taken
}

export const quantile = (values, part) => values.toSorted((a, b) => a - b)[Math.floor(part * (values.length - 1))]
export const median = (values) => quantile(values, 0.5)

const number = (value) => value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3)

/**
 * One figure as a row of the table.
 *
 * @param ours what was measured of spot-api, run by run
 * @param theirs the same of what stands beside it, taken in the same runs
 */
export function row ({ figure, unit, ours, peer = '', theirs = [], target = '' }) {
  const ratios = theirs.map((value, run) => ours[run] / value)
  const [least, most] = [Math.min(...ours), Math.max(...ours)].map(number)
  return {
    figure,
    'spot-api': `${number(median(ours))} ${unit}`,
    'least to most': `${least} to ${most}`,
    'beside it': theirs.length > 0 ? `${peer}: ${number(median(theirs))} ${unit}` : '',
    ratio: ratios.length > 0 ? number(median(ratios)) : '',
    target
  }
}

const COLUMNS = ['figure', 'spot-api', 'least to most', 'beside it', 'ratio', 'target']

/** Rows as a Markdown table. */
export function table (rows) {
  const lines = [COLUMNS, COLUMNS.map(() => '---'), ...rows.map((row) => COLUMNS.map((column) => row[column]))]
  return lines.map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}

/** Prints the rows of a script that was started by itself. */
export async function print (module, rows) {
  if (module.filename === process.argv[1]) console.log(table(await rows()))
}
