/** What stands where a secret was. */
export const MASK = '(masked)'

/** The same for what has to be base64: who checks or decodes it is not surprised. */
export const MASK_BASE64 = btoa(MASK)

const document = "Spot's API document, https://docs.spot.io/api/"
const sdk = "Spot's Go SDK, https://github.com/spotinst/spotinst-sdk-go/blob/main/service/elastigroup/providers/aws/aws.go"
const jnlp = 'thirdPartiesIntegration.jenkins.connectionMethod.jnlp'

/**
 * Every known property whose value is a secret, and who says that it exists. What is public by its nature is not here:
 * certificates, public keys, the names of users, key pairs, roles and KMS keys.
 *
 * The path says where Spot has it today. Its name is masked wherever it stands: the same object is the answer to a
 * read, an element of a list, or a part of an import or an event.
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

/** Names that sound like secrets, and what they are. */
export const harmless: Readonly<Record<string, string>> = {
  httpTokens: '`optional` or `required`: how instances ask for their metadata',
  nextToken: 'a place in a list',
  nextPageToken: 'a place in a list',
  pageToken: 'a place in a list',
  paginationToken: 'a place in a list',
  continuationToken: 'a place in a list',
  clientToken: 'the idempotency key of a call to AWS'
}

/**
 * How the names of secrets end, for fields that Spot adds later. The end decides: an `accessToken` is a secret, a
 * `tokenExpiration` or a `secretName` is not. Nor is an `accessKeyId`, which only names a key.
 */
const sounds = new RegExp([
  '(?:password|passwd|pwd|passphrase|secret|token|credential|authorization|auth|jwt|cookie|pem|kubeconfig',
  '|connectionstring|webhook|webhookurl|signedurl|userdata|script',
  '|(?:api|access|secret|private|auth|encryption|signing|shared|ssh|pem)key)s?',
  // What such a value is wrapped in.
  '(?:value|string|text|data|hash|base|binary|content|json|pem|plain)?$'
].join(''))

/** Without case, digits and punctuation: `api_key`, `apiKey2` and `APIKEY` are one name. */
const spelt = (name: string) => name.toLowerCase().replace(/[^a-z]+/g, '')

const masks = new Map([
  ...Object.keys(harmless).map((name) => [spelt(name), undefined] as const),
  ...secrets.map(({ path, base64 }) => [spelt(path.split('.').at(-1) ?? ''), base64 ? MASK_BASE64 : MASK] as const)
])

/** Names that are remembered at most, and their characters: Spot's objects have some four hundred, a caller any. */
const MOST_NAMES = 2000
const LONGEST_NAME = 64

const known = new Map<string, string | undefined>()

/** What stands in place of the value of a property that is a secret by its name; undefined for all others. */
export function maskOf (name: string): string | undefined {
  const mask = known.get(name)
  if (mask !== undefined || known.has(name)) return mask
  const plain = spelt(name)
  const found = masks.has(plain) ? masks.get(plain) : sounds.test(plain) ? MASK : undefined
  if (known.size === MOST_NAMES) known.clear()
  if (name.length <= LONGEST_NAME) known.set(name, found)
  return found
}
