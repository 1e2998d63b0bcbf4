/** What Spot has below a noun instead of an id: operations of its own, such as `PUT …/managedInstance/state`. */
const segments = new Set(['autoScalingGroup', 'instance', 'migration', 'state'])

/** Whether this cannot be an id, because Spot has an operation of its own under that name. */
export const isReserved = (segment: string): boolean => segments.has(segment)
