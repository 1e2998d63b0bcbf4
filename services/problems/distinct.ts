/** The errors without repetitions: several schemas, patterns or rules can find the same one. */
export const distinct = <E extends object>(errors: readonly E[]): E[] =>
  [...new Map(errors.map((error) => [JSON.stringify(error), error])).values()]
