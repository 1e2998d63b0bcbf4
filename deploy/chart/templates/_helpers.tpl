{{- define "spot-api.name" -}}
{{ .Values.fullnameOverride | default .Release.Name | trunc 52 | trimSuffix "-" }}
{{- end }}

{{- define "spot-api.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: server
{{- end }}

{{- define "spot-api.redisSelector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: redis
{{- end }}

{{/* Labels of everything; not used by selectors. */}}
{{- define "spot-api.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "spot-api.image" -}}
{{- with .Values.image }}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{- define "spot-api.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (ternary (include "spot-api.name" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{- define "spot-api.redisSecret" -}}
{{ .Values.redis.existingSecret | default (printf "%s-redis" (include "spot-api.name" .)) }}
{{- end }}

{{/* Not empty if servers share their state. */}}
{{- define "spot-api.shared" -}}
{{- if or .Values.redis.enabled .Values.state.redis }}true{{ end }}
{{- end }}

{{/* Not empty if more than one server runs. */}}
{{- define "spot-api.several" -}}
{{- if or .Values.autoscaling.enabled (gt (int .Values.replicas) 1) }}true{{ end }}
{{- end }}

{{/* config.json: what the user sets, and what the chart sets. */}}
{{- define "spot-api.config" -}}
{{- $state := dict "directory" "/app/state" }}
{{- if .Values.redis.enabled }}{{ $state = dict "redis" (dict "env" "REDIS_URL") }}{{ end }}
{{- if .Values.state.redis }}{{ $state = dict "redis" .Values.state.redis }}{{ end }}
{{- $decided := dict "listenAddress" ":8080" "deadlines" .Values.deadlines "drainSeconds" .Values.drainSeconds "state" $state }}
{{- merge $decided .Values.config | toPrettyJson }}
{{- end }}

{{/* Paths that callers need, with a space between two. There is no other way to leave one out of an ingress. */}}
{{- define "spot-api.paths" -}}
{{- if or .Values.ingress.metrics (eq (dig "metrics" "public" .Values.config) "token") -}}
/v1/spot
{{- else -}}
{{- $own := list "accounts" "docs" "openapi.json" "openapi.yaml" "ping" "ready" "version" "whoami" }}
{{- $accounts := .Values.ingress.accounts | default (keys (dig "accounts" dict .Values.config) | sortAlpha) }}
{{- $paths := list }}
{{- range concat $own $accounts }}{{ $paths = append $paths (printf "/v1/spot/%s" .) }}{{ end }}
{{- join " " $paths }}
{{- end }}
{{- end }}

{{/* Refuses values that would start and fail later. */}}
{{- define "spot-api.check" -}}
{{- if and .Values.config .Values.existingSecret }}
{{- fail "config and existingSecret: choose one, the configuration is one file." }}
{{- else if not (or .Values.config .Values.existingSecret) }}
{{- fail "There is no configuration: set config (accounts and token at least), or existingSecret." }}
{{- end }}
{{- if and .Values.redis.enabled .Values.state.redis }}
{{- fail "redis.enabled and state.redis: choose one, the state is in one place." }}
{{- end }}
{{- if and (include "spot-api.several" .) (not (include "spot-api.shared" .)) }}
{{- fail "More than one server needs a Redis: without one they do not share idempotency keys, and a create that is sent again can happen twice. Set redis.enabled or state.redis, or replicas to 1 and autoscaling.enabled to false." }}
{{- end }}
{{- if .Values.autoscaling.enabled }}
{{- if gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas) }}
{{- fail "autoscaling.minReplicas is more than autoscaling.maxReplicas." }}
{{- end }}
{{- end }}
{{- if .Values.redis.enabled }}
{{- if not (or .Values.redis.password .Values.redis.existingSecret) }}
{{- fail "redis.enabled needs redis.password (openssl rand -hex 24) or redis.existingSecret." }}
{{- end }}
{{- end }}
{{- if and (kindIs "map" (get .Values.config "audit")) (not (or .Values.auditVolume .Values.extraVolumeMounts)) }}
{{- fail "config.audit is a file, but nothing can be written there: set auditVolume, and config.audit to {file: audit/audit.log}." }}
{{- end }}
{{- if and .Values.ingress.enabled (not .Values.ingress.host) }}
{{- fail "ingress.enabled needs ingress.host." }}
{{- end }}
{{- if and .Values.ingress.enabled .Values.existingSecret (not (or .Values.ingress.metrics .Values.ingress.accounts)) }}
{{- fail "ingress.enabled with existingSecret needs ingress.accounts, the names of the accounts, or ingress.metrics to let the metrics in, too." }}
{{- end }}
{{- if and .Values.serviceMonitor.enabled (eq (dig "metrics" "public" .Values.config) "token") (not .Values.serviceMonitor.token.secret) }}
{{- fail "config.metrics is token: set serviceMonitor.token.secret, a Secret with a client's X-Auth-Token." }}
{{- end }}
{{- end }}
