/** Where groups and managed instances have their tags. */
export type Tagged<T = unknown> = { compute?: { launchSpecification?: { tags?: T } | null } | null }

/** The body of a create with these tags in place of its own. Nothing else changes. */
export function withTags<B extends object> (body: B, tags: readonly unknown[]): B {
  const { compute } = body as Tagged
  return { ...body, compute: { ...compute, launchSpecification: { ...compute?.launchSpecification, tags } } }
}
