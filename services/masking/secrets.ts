/** What replaces a secret. */
export const MASK = '(masked)'

/** The same where base64 is expected, so that it can be checked and decoded. */
export const MASK_BASE64 = btoa(MASK)

const document = "Spot's API document, https://docs.spot.io/api/"
const sdk = "Spot's Go SDK, https://github.com/spotinst/spotinst-sdk-go/blob/main/service/elastigroup/providers/aws/aws.go"
const jnlp = 'thirdPartiesIntegration.jenkins.connectionMethod.jnlp'

/**
 * Every known property whose value is a secret, and its source. Public values are not included: certificates, public
 * keys, and names of users, key pairs, roles and KMS keys.
 *
 * The path says where Spot has it today. The name is masked everywhere: the same object is the answer to a read, an
 * element of a list, or a part of an import or an event.
 */
export const secrets: readonly { path: string, source: string, base64?: true }[] = [
  { path: 'compute.launchSpecification.userData', source: document, base64: true },
  { path: 'compute.launchSpecification.shutdownScript', source: document, base64: true },
  { path: 'thirdPartiesIntegration.chef.pemKey', source: sdk },
  { path: 'thirdPartiesIntegration.dockerSwarm.autoScale.tlsConfig.privateKey', source: document },
  { path: `${jnlp}.password`, source: document },
  { path: `${jnlp}.token`, source: document },
  { path: 'thirdPartiesIntegration.kubernetes.token', source: sdk },
  { path: 'thirdPartiesIntegration.nomad.aclToken', source: document },
  { path: 'thirdPartiesIntegration.nomad.tlsConfig.privateKey', source: document },
  { path: 'thirdPartiesIntegration.rancher.accessKey', source: document },
  { path: 'thirdPartiesIntegration.rancher.secretKey', source: document }
]

/** Names that look like secrets, and what they are. */
export const harmless: Readonly<Record<string, string>> = {
  httpTokens: '`optional` or `required`: how instances ask for their metadata',
  nextToken: 'a position in a list',
  nextPageToken: 'a position in a list',
  pageToken: 'a position in a list',
  paginationToken: 'a position in a list',
  continuationToken: 'a position in a list',
  clientToken: 'the idempotency key of a call to AWS'
}

/**
 * Endings of names of secrets, for fields that Spot adds later: an `accessToken` is a secret; a `tokenExpiration`, a
 * `secretName` and an `accessKeyId` are not.
 */
const endings = new RegExp([
  '(?:password|passwd|pwd|passphrase|secret|token|credential|authorization|auth|jwt|cookie|pem|kubeconfig',
  '|connectionstring|webhook|webhookurl|signedurl|userdata|script',
  '|(?:api|access|secret|private|auth|encryption|signing|shared|ssh|pem)key)s?',
  // Words for the form of the value.
  '(?:value|string|text|data|hash|base|binary|content|json|pem|plain|list|array|set|map)?$'
].join(''))

/** Short words that are secrets where they are the last of a name: a `dbPass`, but no `bypass`. */
const lastWords = /(?:^|[_\-. ])(?:pass|Pass|PASS|pin|Pin|PIN)\d*$|[a-z\d](?:Pass|Pin)\d*$/

/** A user and a password in a URI (https://www.rfc-editor.org/rfc/rfc3986#section-3.2.1). */
const userInfo = /(:\/\/[^\s/:@?#]*:)[^\s/@?#]+(?=@)/g

/** A text in which passwords of URIs are masked. */
export const withoutPasswords = (text: string): string =>
  text.includes('://') ? text.replace(userInfo, `$1${MASK}`) : text

/** A name without case, digits and punctuation: `api_key`, `apiKey2` and `APIKEY` are the same. */
const lettersOf = (name: string) => name.toLowerCase().replace(/[^a-z]+/g, '')

const masks = new Map([
  ...Object.keys(harmless).map((name) => [lettersOf(name), undefined] as const),
  ...secrets.map(({ path, base64 }) => [lettersOf(path.split('.').at(-1) ?? ''), base64 ? MASK_BASE64 : MASK] as const)
])

const isSecret = (name: string, plain: string) => endings.test(plain) || lastWords.test(name)

/** Limits for the names that are remembered: Spot has some four hundred, callers can send any number. */
const MOST_NAMES = 2000
const LONGEST_NAME = 64

const known = new Map<string, string | undefined>()

/** What replaces the value of a property whose name says that it is a secret; undefined for other names. */
export function maskOf (name: string): string | undefined {
  const mask = known.get(name)
  if (mask !== undefined || known.has(name)) return mask
  const plain = lettersOf(name)
  const found = masks.has(plain) ? masks.get(plain) : isSecret(name, plain) ? MASK : undefined
  if (known.size === MOST_NAMES) known.clear()
  if (name.length <= LONGEST_NAME) known.set(name, found)
  return found
}
