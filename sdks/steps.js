/** The steps of each language's program, in this order, and what must hold. */
export const STEPS = {
  create: 'a group, with an Idempotency-Key. The same request again answers the same group.',
  read: 'the whole group, with its ETag.',
  change: 'the description to null, explicitly, with If-Match and that ETag. Only the description changes.',
  'if-match': 'the same ETag again is refused: 412, and the name of the group stays.',
  list: 'with a name and a tag as filters: exactly this group.',
  ready: 'wait until it is, asking as often as Retry-After says.',
  costs: 'a total, which is a number, and may be 0.',
  roll: 'begun, read, and stopped. Its gracePeriod is 600, or it could end first.',
  problem: 'a group that is not there: 404. The line has the type of the problem; the client may not know it.',
  'send back': 'the group SPOT_API_GROUP is read, and sent back whole: with its nulls, unknown fields, [] and 0.',
  delete: 'the first group. To read it is a 404 from then on.'
}
