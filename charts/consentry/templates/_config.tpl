{{/*
The gateway's own configuration, from values. This is the one place that knows its keys; the gateway refuses unknown ones,
and tests/charts/run.sh loads what comes out of here with `consentry check`.
*/}}

{{- define "consentry.path.config" -}}/etc/consentry{{- end -}}
{{- define "consentry.path.secrets" -}}/run/secrets/consentry{{- end -}}
{{- define "consentry.path.state" -}}/var/lib/consentry{{- end -}}
{{- /* The gateway's own name for it, inside of the state folder: a volume of its own is mounted there. */ -}}
{{- define "consentry.path.spool" -}}/var/lib/consentry/spool{{- end -}}

{{/* Every ConfigMap that the chart makes: the end of its name → its data. */}}
{{- define "consentry.configData" -}}
{{- $data := dict "config" (dict "consentry.yaml" (include "consentry.config" .)) -}}
{{- range $kind := list "tenants" "apis" "rules" -}}
{{- with get $.Values $kind -}}
{{- $_ := set $data $kind . -}}
{{- end -}}
{{- end -}}
{{- toYaml $data -}}
{{- end -}}

{{/* File name → text as the data of a ConfigMap, readable in `kubectl get`, byte for byte but for the last line break. */}}
{{- define "consentry.fileData" -}}
{{- $entries := list -}}
{{- range $name, $text := . -}}
{{- $entries = append $entries (printf "%s: |2%s" $name ($text | trimSuffix "\n" | nindent 2)) -}}
{{- end -}}
{{- join "\n" $entries -}}
{{- end -}}

{{/* A map's keys from camelCase to snake_case; whole numbers stay whole, which YAML's reader would not keep. */}}
{{- define "consentry.snake" -}}
{{- $lines := list -}}
{{- range $key := keys . | sortAlpha -}}
{{- $value := get $ $key -}}
{{- $lines = append $lines (printf "%s: %v" (snakecase $key) (kindIs "float64" $value | ternary (int64 $value) $value)) -}}
{{- end -}}
{{- join "\n" $lines -}}
{{- end -}}

{{- define "consentry.config" -}}
{{- $v := .Values -}}
{{- $secrets := include "consentry.path.secrets" . -}}
listeners:
  data:
    address: {{ printf "%s:%d" $v.listener.address (int $v.listener.port) | quote }}
    tls:
      {{- if $v.tls.development }}
      development:
        names:
          - {{ include "consentry.fullname" . }}
          - {{ printf "%s.%s.svc" (include "consentry.fullname" .) .Release.Namespace }}
      {{- else }}
      files:
        certificate: {{ $secrets }}/tls/tls.crt
        private_key: {{ $secrets }}/tls/tls.key
      {{- end }}
        {{- if or $v.tls.clientCA.existingSecret $v.tls.clientCA.existingConfigMap }}
        client_ca: {{ $secrets }}/client-ca/ca.crt
        {{- end }}
    {{- with $v.listener.publicUrl }}
    public_url: {{ . }}
    {{- end }}
    bounds:
      pre_drain: {{ $v.shutdown.preDrainSeconds }}s
      drain: {{ $v.shutdown.drainSeconds }}s
      {{- with $v.listener.bounds }}
      {{- include "consentry.snake" . | nindent 6 }}
      {{- end }}
  metrics:
    address: {{ printf "%s:%d" $v.listener.address (int $v.metrics.port) | quote }}
state:
  directory: {{ include "consentry.path.state" . }}
  spool: {{ int64 $v.spool.bytes }}
  {{- with $v.audit.window }}
  audit_window: {{ . }}
  {{- end }}
master_key: file:{{ $secrets }}/master/master.key
upstreams:
  {{- range $name, $upstream := $v.upstreams }}
  {{ $name }}:
    url: {{ $upstream.url }}
    {{- with $upstream.credential }}
    credential:
      {{- if .header }}
      header:
        name: {{ .header }}
        value: file:{{ $secrets }}/upstreams/{{ $name }}/credential
      {{- else }}
      bearer: file:{{ $secrets }}/upstreams/{{ $name }}/credential
      {{- end }}
    {{- end }}
    {{- with $upstream.headers }}
    headers:
      {{- range $header, $_ := . }}
      {{ $header }}: file:{{ $secrets }}/upstreams/{{ $name }}/headers/{{ $header }}
      {{- end }}
    {{- end }}
    {{- if $upstream.ca }}
    ca: {{ $secrets }}/upstreams/{{ $name }}/ca.crt
    {{- end }}
    {{- with pick $upstream "thirdParty" "sharedConnections" "connectTimeout" "headTimeout" "idleTimeout" }}
    {{- include "consentry.snake" . | nindent 4 }}
    {{- end }}
  {{- end }}
routes:
  {{- range $name, $route := $v.routes }}
  - name: {{ $name }}
    {{- toYaml $route | nindent 4 }}
  {{- end }}
{{- with $v.issuers }}
issuers:
  {{- range $name, $issuer := . }}
  {{ $name }}:
    issuer: {{ $issuer.issuer | quote }}
    audiences:
      {{- toYaml $issuer.audiences | nindent 6 }}
    algorithms:
      {{- toYaml $issuer.algorithms | nindent 6 }}
    jwks: {{ $issuer.jwks | quote }}
    {{- with $issuer.tenantClaim }}
    tenant_claim: {{ . | quote }}
    {{- end }}
  {{- end }}
{{- end }}
{{- with $v.limits }}
limits:
  {{- include "consentry.snake" . | nindent 2 }}
{{- end }}
{{- end -}}
