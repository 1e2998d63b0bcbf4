import { hashSync } from '@node-rs/bcrypt'

/** The key of tests, the X-Auth-Token value made of it, and the account that they ask for. */
export const KEY = 'a-key-for-tests-only'
export const TOKEN = hashSync(KEY, 4)
export const ACCOUNT = 'demo'
