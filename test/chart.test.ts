import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Ajv } from 'ajv'
import t from 'tap'
import { isMap, parse, parseAllDocuments, parseDocument, type Scalar, type YAMLMap } from 'yaml'
import { chartOf } from '../scripts/settings.js'
import { checkSchema, resolveSettings } from '../services/configuration/index.js'
import { RESERVED_NAMES, settings } from '../services/configuration/settings.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const chart = join(root, 'deploy/chart')
const read = (file: string) => readFileSync(join(chart, file), 'utf8')
const missing = (tool: string, word: string) => spawnSync(tool, [word]).error ? `skipped: there is no ${tool}` : false
const noHelm = missing('helm', 'version')
const noKubeconform = noHelm || missing('kubeconform', '-v')

const values = parse(read('values.yaml'))
const templates = readdirSync(join(chart, 'templates')).map((file) => read(`templates/${file}`)).join('\n')
const examples = readdirSync(join(chart, 'ci')).map((file) => [file, parse(read(`ci/${file}`))] as const)
const account = { accounts: { dev: { id: 'act-12345678', token: 'hush' } }, token: 'a-key-for-tests-only' }
const ENVIRONMENT = {
  SPOT_TOKEN: 'hush', SPOT_TOKEN_DEV: 'hush', SPOT_API_KEY: 'a-key-for-tests-only', REDIS_URL: 'redis://:hush@r:6379/0'
}
const configurationIn = (file: unknown) => {
  const source = { name: 'config.json', folder: '/app/config', environment: ENVIRONMENT }
  checkSchema(file, source)
  return resolveSettings(file, source).configuration
}

const schema = JSON.parse(read('values.schema.json'))
const accepts = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(schema)
const faultsOf = (given: object) => {
  accepts(given)
  return (accepts.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`).join('\n')
}

t.test('values.schema.json accepts the default values and the examples', async (t) => {
  t.equal(faultsOf(values), '')
  for (const [name, example] of examples) t.equal(faultsOf(example), '', name)
})

const refused: [string, { given: object, want: RegExp }][] = [
  ['a value that there is not', { given: { replicaCount: 2 }, want: /^ must NOT have additional properties/ }],
  ['a misspelt one inside', { given: { redis: { enable: true } }, want: /^\/redis must NOT have additional/ }],
  ['a text for a number', { given: { replicas: '2' }, want: /^\/replicas must be integer/ }],
  ['what the chart decides', { given: { config: { ...account, drainSeconds: 1 } }, want: /^\/config must NOT/ }],
  ['half a configuration', { given: { config: { token: account.token } }, want: /\/config must have .*accounts/ }],
  ['an account without a token', { given: { config: { ...account, accounts: { a: { id: 'a' } } } }, want: /'token'/ }],
  ['a deadline too long', { given: { deadlines: { writeSeconds: 601 } }, want: /writeSeconds must be <= 600/ }],
  ['a password that is no part of a URL', { given: { redis: { password: 'a/b@c:d?e#f%g&h-i' } }, want: /password/ }],
  ['a password that can be guessed', { given: { redis: { password: 'short' } }, want: /^\/redis\/password/ }],
  ['a budget that no node could be drained with', {
    given: { podDisruptionBudget: { maxUnavailable: 0 } }, want: /maxUnavailable must be >= 1/
  }]
]

for (const [name, { given, want }] of refused) {
  t.test(`the schema of the values refuses ${name}`, async (t) => t.match(faultsOf(given), want))
}

t.test('schema and defaults of the chart are those of the settings: npm run generate:settings', async (t) => {
  t.strictSame(schema, chartOf(JSON.parse(read('values.schema.json'))))
  t.strictSame(values.deadlines, {
    readSeconds: settings['deadlines.readSeconds'].default, writeSeconds: settings['deadlines.writeSeconds'].default
  })
  t.equal(values.drainSeconds, settings.drainSeconds.default)
})

/** Every value by its path, `redis.size`, with the comment above it. What is a map of the user's own counts as one. */
function entriesOf (map: YAMLMap, above = '', first = map.commentBefore): { path: string, comment?: string | null }[] {
  return map.items.flatMap(({ key, value }, index) => {
    const { value: name, commentBefore } = key as Scalar<string>
    const path = `${above}${name}`
    const comment = commentBefore ?? (index === 0 ? first : undefined)
    const inside = isMap(value) && value.items.length > 0 && !path.endsWith('resources')
    return inside ? entriesOf(value, `${path}.`) : [{ path, comment }]
  })
}

t.test('every value is documented and used, and every value that a template uses exists', async (t) => {
  const document = parseDocument(read('values.yaml'))
  const entries = entriesOf(document.contents as YAMLMap, '', document.commentBefore)
  t.ok(entries.length > 50)
  t.strictSame(entries.filter(({ comment }) => !comment?.trim()).map(({ path }) => path), [], 'explained')
  const used = [...templates.matchAll(/\.Values\.([\w.]+)/g)].map(([, path]) => path as string)
  const unused = entries.filter(({ path }) => !used.some((each) => path === each || path.startsWith(`${each}.`)))
  t.strictSame(unused.map(({ path }) => path), [], 'used')
  const known = (path: string) => entries.some((entry) => entry.path === path || entry.path.startsWith(`${path}.`))
  t.strictSame(used.filter((path) => !known(path)), [], 'a value')
})

t.test('the version of the chart is that of the package', async (t) => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  t.match(parse(read('Chart.yaml')), { version, appVersion: version })
})

const alerts = join(root, 'deploy/prometheus/alerts.yaml')
const noAlerts = existsSync(alerts) ? false : 'skipped: there is no deploy/prometheus/alerts.yaml'

t.test('the alerts of the chart are those of deploy/prometheus', { skip: noAlerts }, async (t) => {
  t.equal(read('files/alerts.yaml'), readFileSync(alerts, 'utf8'))
})

t.test('its dashboard is that of deploy/grafana', async (t) => {
  t.equal(read('files/dashboard.json'), readFileSync(join(root, 'deploy/grafana/spot-api.json'), 'utf8'))
})

t.test('its notes ask for no restart after a change of the configuration', async (t) => {
  t.notMatch(read('templates/NOTES.txt'), 'rollout restart')
})

/** What `_helpers.tpl` makes of values; with Helm it is compared. */
function configurationFileOf (given: { config?: object, redis?: { enabled: boolean } }): object {
  const { deadlines, drainSeconds } = { ...values, ...given }
  const state = given.redis?.enabled ? { redis: { env: 'REDIS_URL' } } : { directory: '/app/state' }
  return { ...given.config, listenAddress: ':8080', deadlines, drainSeconds, state }
}

t.test('the server accepts the configuration that the chart makes', async (t) => {
  t.match(configurationIn(configurationFileOf({ config: account })), {
    listen: { host: '0.0.0.0', port: 8080 }, deadlines: { write: 60_000 }, state: { directory: '/app/state' }
  })
})

/** What Helm makes of values: resources by kind and name, or why it refuses. */
function render (given: object): { resources: Record<string, any>, errors: string, text: string } {
  // Else it takes a version that it was built with for that of the cluster.
  const words = ['template', 'spot-api', chart, '--kube-version', '1.33.0', '--values', '-']
  const { stdout, stderr } = spawnSync('helm', words, { input: JSON.stringify(given), encoding: 'utf8' })
  const all = parseAllDocuments(stdout, { version: '1.1' }).map((document) => document.toJS()).filter(Boolean)
  const resources = Object.fromEntries(all.map((each) => [`${each.kind}/${each.metadata.name}`, each]))
  return { resources, errors: stderr, text: stdout }
}

const kinds = (resources: object) => Object.keys(resources).sort()
const podIn = (resources: Record<string, any>, name = 'Deployment/spot-api') => resources[name].spec.template

t.test('with Helm', { skip: noHelm }, async (t) => {
  for (const [name, example] of examples) {
    await t.test(name, async (t) => {
      const { resources, errors } = render(example)
      t.equal(errors, '')
      const pods = Object.values(resources).map((each) => each.spec?.template).filter(Boolean)
      for (const { spec } of pods) {
        t.match(spec, {
          automountServiceAccountToken: false,
          securityContext: { runAsNonRoot: true, runAsUser: Number, seccompProfile: { type: 'RuntimeDefault' } }
        })
        for (const { name, securityContext } of spec.containers) {
          t.strictSame(securityContext, {
            allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] }
          }, name)
        }
      }
      const secret = Object.values(resources).find(({ stringData }) => stringData?.['config.json'])
      t.equal(secret === undefined, example.existingSecret !== undefined)
      if (!secret) return
      const file = JSON.parse(secret.stringData['config.json'])
      t.strictSame(file, configurationFileOf(example))
      const { deadlines, drainSeconds } = configurationIn(file)
      const grace = pods[0].spec.terminationGracePeriodSeconds
      t.ok(grace >= drainSeconds + deadlines.write / 1000 + 10, `${grace} seconds to end`)
    })
  }

  await t.test('one server keeps its state on a volume, which the next one waits for', async (t) => {
    const { resources } = render({ config: account })
    t.strictSame(kinds(resources), [
      'Deployment/spot-api', 'NetworkPolicy/spot-api', 'PersistentVolumeClaim/spot-api-state', 'Secret/spot-api',
      'Service/spot-api', 'ServiceAccount/spot-api'
    ])
    const { replicas, strategy, template } = resources['Deployment/spot-api'].spec
    t.match({ replicas, strategy }, { replicas: 1, strategy: { type: 'Recreate' } })
    const [container] = template.spec.containers
    t.match(template.spec.volumes, [
      { secret: { secretName: 'spot-api' } }, { persistentVolumeClaim: { claimName: 'spot-api-state' } }
    ])
    t.match(container.volumeMounts, [{ mountPath: '/app/config' }, { mountPath: '/app/state' }])
    t.match(container, {
      args: ['--config', 'config/config.json'],
      startupProbe: { httpGet: { path: '/v1/spot/ping' } },
      livenessProbe: { httpGet: { path: '/v1/spot/ping' } },
      readinessProbe: { httpGet: { path: '/v1/spot/ready' } }
    })
  })

  await t.test('several servers share a Redis, and a rolling update never has one too few', async (t) => {
    const { resources } = render({
      config: account, replicas: 3, redis: { enabled: true, password: 'a-password-for-tests' }
    })
    t.match(resources['Deployment/spot-api'].spec.strategy, {
      type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0 }
    })
    t.ok(resources['PodDisruptionBudget/spot-api'])
    const [{ args, env }] = podIn(resources, 'StatefulSet/spot-api-redis').spec.containers
    t.match(args.join(' '), /--appendonly yes --appendfsync always/)
    t.notMatch(JSON.stringify({ args, env }), 'a-password-for-tests')
    const egress = resources['NetworkPolicy/spot-api'].spec.egress.flatMap(({ ports }: any) => ports)
    t.strictSame(egress.map(({ port }: any) => port), [53, 53, 443, 6379])
    t.match(resources['NetworkPolicy/spot-api-redis'].spec, { policyTypes: ['Ingress', 'Egress'], egress: undefined })
  })

  await t.test('pods are replaced when the configuration changes, and only then', async (t) => {
    const sumOf = (given: object) => podIn(render(given).resources).metadata.annotations['checksum/config']
    const sum = sumOf({ config: account })
    t.match(sum, /^[\da-f]{64}$/)
    t.equal(sumOf({ config: account, service: { port: 81 } }), sum)
    t.not(sumOf({ config: { ...account, logLevel: 'debug' } }), sum)
    t.not(sumOf({ config: account, drainSeconds: 6 }), sum)
    const withPassword = (password: string) => {
      const { resources } = render({ config: account, redis: { enabled: true, password } })
      return ['Deployment/spot-api', 'StatefulSet/spot-api-redis']
        .map((name) => podIn(resources, name).metadata?.annotations)
    }
    t.strictSame(withPassword('a-password-for-tests'), withPassword('another-password-1'), 'no hash of the password')
  })

  await t.test('an ingress has no metrics, unless they need a token or somebody wants it so', async (t) => {
    const ingress = { enabled: true, host: 'spot.example.org' }
    const pathsOf = (given: object) =>
      render(given).resources['Ingress/spot-api'].spec.rules[0].http.paths.map(({ path }: { path: string }) => path)
    const reserved = RESERVED_NAMES.flatMap((name) => name === 'openapi' ? ['openapi.json', 'openapi.yaml'] : name)
    const own = reserved.filter((name) => name !== 'metrics').map((name) => `/v1/spot/${name}`)
    t.strictSame(pathsOf({ config: account, ingress }), [...own, '/v1/spot/dev'])
    t.strictSame(pathsOf({ existingSecret: 'a', ingress: { ...ingress, accounts: ['a', 'b'] } }),
      [...own, '/v1/spot/a', '/v1/spot/b'])
    for (const all of [
      { config: { ...account, metrics: 'token' }, ingress }, { config: account, ingress: { ...ingress, metrics: true } }
    ]) t.strictSame(pathsOf(all), ['/v1/spot'])
  })

  await t.test('Prometheus sends a token where there is one', async (t) => {
    const endpointOf = (token?: object) => render({
      config: account, serviceMonitor: { enabled: true, ...token && { token } }
    }).resources['ServiceMonitor/spot-api'].spec.endpoints[0]
    t.strictSame(endpointOf({ secret: 'prometheus' }).authorization, {
      type: 'Bearer', credentials: { name: 'prometheus', key: 'token' }
    })
    t.notOk('authorization' in endpointOf())
  })

  await t.test('the PrometheusRule has the alerts unchanged', async (t) => {
    const { resources } = render({ config: account, prometheusRule: { enabled: true } })
    t.strictSame(resources['PrometheusRule/spot-api'].spec, parse(read('files/alerts.yaml'), { version: '1.1' }))
  })

  await t.test('the dashboard is a ConfigMap that the sidecar of Grafana finds', async (t) => {
    const { resources } = render({ config: account, dashboard: { enabled: true } })
    const { metadata, data } = resources['ConfigMap/spot-api-dashboard']
    t.equal(metadata.labels.grafana_dashboard, '1')
    t.strictSame(JSON.parse(data['spot-api.json']), JSON.parse(read('files/dashboard.json')))
  })

  await t.test('an audit in a file has a volume that it can be written to, beside a read-only root', async (t) => {
    const auditVolume = { persistentVolumeClaim: { claimName: 'spot-api-audit' } }
    const { resources } = render({ config: { ...account, audit: { file: 'audit/audit.log' } }, auditVolume })
    const { volumes, containers } = podIn(resources).spec
    t.match(volumes, [{}, {}, { name: 'audit', ...auditVolume }])
    t.match(containers[0].volumeMounts, [{}, {}, { name: 'audit', mountPath: '/app/audit' }])
  })

  await t.test('the pod takes volumes, containers, a priority, a digest, and the users of OpenShift', async (t) => {
    const digest = `sha256:${'0'.repeat(64)}`
    const noUser = { runAsUser: null, runAsGroup: null, fsGroup: null }
    const { resources } = render({
      config: account,
      image: { digest },
      extraVolumes: [{ name: 'ca', configMap: { name: 'ca' } }],
      extraVolumeMounts: [{ name: 'ca', mountPath: '/app/ca' }],
      extraContainers: [{ name: 'shipper', image: 'shipper' }],
      priorityClassName: 'important',
      podSecurityContext: noUser
    })
    const { spec } = podIn(resources)
    t.equal(spec.containers[0].image, `spot-api@${digest}`)
    t.strictSame(spec.containers.map(({ name }: any) => name), ['spot-api', 'shipper'])
    t.strictSame(spec.volumes.at(-1), { name: 'ca', configMap: { name: 'ca' } })
    t.strictSame(spec.containers[0].volumeMounts.at(-1), { name: 'ca', mountPath: '/app/ca' })
    t.equal(spec.priorityClassName, 'important')
    t.strictSame(spec.securityContext, {
      runAsNonRoot: true, fsGroupChangePolicy: 'OnRootMismatch', seccompProfile: { type: 'RuntimeDefault' }
    })
  })

  const redis = { enabled: true, password: 'a-password-for-tests' }
  const refusals: [string, { given: object, want: RegExp }][] = [
    ['no configuration', { given: {}, want: /There is no configuration: set config/ }],
    ['two configurations', { given: { config: account, existingSecret: 'a' }, want: /choose one, the configuration/ }],
    ['several servers without a Redis', {
      given: { config: account, replicas: 2 }, want: /More than one server needs a Redis.*Set redis\.enabled/
    }],
    ['autoscaling without a Redis', {
      given: { config: account, autoscaling: { enabled: true } }, want: /More than one server needs a Redis/
    }],
    ['least above most', {
      given: { config: account, redis, autoscaling: { enabled: true, minReplicas: 9 } }, want: /minReplicas is more/
    }],
    ['two Redis', { given: { config: account, redis, state: { redis: 'redis://r' } }, want: /choose one, the state/ }],
    ['a Redis without a password', { given: { config: account, redis: { enabled: true } }, want: /needs redis\.password/ }],
    ['an audit where nothing can be written', {
      given: { config: { ...account, audit: { file: 'audit.log' } } }, want: /set auditVolume/
    }],
    ['an ingress without a host', { given: { config: account, ingress: { enabled: true } }, want: /needs ingress\.host/ }],
    ['an ingress for accounts that it does not know', {
      given: { existingSecret: 'a', ingress: { enabled: true, host: 'a.example.org' } }, want: /needs ingress\.accounts/
    }],
    ['a scrape that would be refused', {
      given: { config: { ...account, metrics: 'token' }, serviceMonitor: { enabled: true } },
      want: /set serviceMonitor\.token\.secret/
    }],
    ['an unknown value', { given: { config: account, replicaCount: 2 }, want: /replicaCount/ }]
  ]

  for (const [name, { given, want }] of refusals) {
    await t.test(`refuses ${name}`, async (t) => {
      const { text, errors } = render(given)
      t.equal(text, '')
      t.match(errors, want)
    })
  }
})

t.test('the manifests are valid for Kubernetes', { skip: noKubeconform }, async (t) => {
  // Where its schemas are, as kubeconform's -schema-location. The default is on the Internet, without custom ones.
  const { KUBERNETES_SCHEMAS } = process.env
  const where = KUBERNETES_SCHEMAS ? ['-schema-location', KUBERNETES_SCHEMAS] : ['-ignore-missing-schemas']
  const faultsOf = (input: string) => {
    const { stdout } = spawnSync('kubeconform', ['-strict', '-output', 'json', ...where], { input, encoding: 'utf8' })
    return (JSON.parse(stdout) as { resources?: { msg: string }[] }).resources ?? []
  }
  const [unreachable] = faultsOf('{apiVersion: v1, kind: Namespace, metadata: {name: a}}')
  if (unreachable) return t.pass(`skipped: there are no schemas (${unreachable.msg})`)
  for (const [name, example] of examples) t.strictSame(faultsOf(render(example).text), [], name)
})
