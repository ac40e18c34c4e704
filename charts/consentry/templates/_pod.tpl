{{/* The container and its volumes: the same in gateway mode, in the example of sidecar mode and in other charts' pods. */}}

{{/* The `restricted` Pod Security Standard, and a root file system that can't be written. */}}
{{- define "consentry.securityContext" -}}
allowPrivilegeEscalation: false
capabilities:
  drop: [ALL]
privileged: false
readOnlyRootFilesystem: true
runAsGroup: 65532
runAsNonRoot: true
runAsUser: 65532
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* fsGroup makes the state volume writable and the projected keys readable, and nobody else's. */}}
{{- define "consentry.podSecurityContext" -}}
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
runAsNonRoot: true
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/*
Rolls the pods when the configuration changes: the gateway reloads on SIGHUP, which nothing inside of a pod sends.
A replaced Secret is not seen here; docs/kubernetes.md says how to roll for that.
*/}}
{{- define "consentry.podAnnotations" -}}
checksum/config: {{ include "consentry.configData" . | sha256sum }}
{{- end -}}

{{- define "consentry.container" -}}
name: consentry
image: {{ include "consentry.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
args: [serve, --config, {{ include "consentry.path.config" . }}/consentry.yaml]
env:
  - name: CONSENTRY_LOG
    value: {{ .Values.logLevel }}
  {{- with .Values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
ports:
  - name: https
    containerPort: {{ .Values.listener.port }}
    protocol: TCP
  - name: metrics
    containerPort: {{ .Values.metrics.port }}
    protocol: TCP
{{- /* Canaries run at load: a large rule set may take a while, and the app of a sidecar waits for this probe. */}}
startupProbe:
  httpGet:
    path: /startupz
    port: metrics
  periodSeconds: {{ .Values.probes.startup.periodSeconds }}
  timeoutSeconds: {{ .Values.probes.startup.timeoutSeconds }}
  failureThreshold: {{ .Values.probes.startup.failureThreshold }}
{{- /* Never asks for the store or an upstream: a restart would not bring them back. */}}
livenessProbe:
  httpGet:
    path: /livez
    port: metrics
  periodSeconds: {{ .Values.probes.liveness.periodSeconds }}
  timeoutSeconds: {{ .Values.probes.liveness.timeoutSeconds }}
  failureThreshold: {{ .Values.probes.liveness.failureThreshold }}
readinessProbe:
  httpGet:
    path: /readyz
    port: metrics
  periodSeconds: {{ .Values.probes.readiness.periodSeconds }}
  timeoutSeconds: {{ .Values.probes.readiness.timeoutSeconds }}
  failureThreshold: {{ .Values.probes.readiness.failureThreshold }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
securityContext:
  {{- include "consentry.securityContext" . | nindent 2 }}
volumeMounts:
  - name: consentry-config
    mountPath: {{ include "consentry.path.config" . }}
    readOnly: true
  - name: consentry-secrets
    mountPath: {{ include "consentry.path.secrets" . }}
    readOnly: true
  - name: consentry-state
    mountPath: {{ include "consentry.path.state" . }}
  - name: consentry-spool
    mountPath: {{ include "consentry.path.spool" . }}
{{- end -}}

{{- define "consentry.volumes" -}}
- name: consentry-config
  projected:
    {{- include "consentry.configProjection" (dict "root" . "names" (include "consentry.fullname" .)) | nindent 4 }}
- name: consentry-secrets
  projected:
    {{- include "consentry.secretProjection" (dict "root" .) | nindent 4 }}
- name: consentry-state
  {{- if .Values.persistence.enabled }}
  persistentVolumeClaim:
    claimName: {{ include "consentry.claimName" . }}
  {{- else }}
  emptyDir:
    sizeLimit: {{ .Values.persistence.size }}
  {{- end }}
- name: consentry-spool
  emptyDir:
    {{- with .Values.spool.medium }}
    medium: {{ . }}
    {{- end }}
    {{- /* The gateway refuses before the kubelet evicts: a sixteenth more than it may hold. */}}
    sizeLimit: {{ div (mul (int64 .Values.spool.bytes) 17) 16 | quote }}
{{- end -}}

{{- /* One volume, so that all files change in one step, and no reader sees half of a change. */ -}}
{{- define "consentry.configProjection" -}}
{{- $names := .names -}}
defaultMode: 0444
sources:
  {{- range $kind, $files := include "consentry.configData" .root | fromYaml }}
  - configMap:
      name: {{ $names }}-{{ $kind }}
      items:
        {{- range $file, $_ := $files }}
        - key: {{ $file }}
          path: {{ eq $kind "config" | ternary $file (printf "%s/%s" $kind $file) }}
        {{- end }}
  {{- end }}
  {{- range .root.Values.tenantsFrom }}
  - configMap:
      name: {{ .configMap }}
      items:
        {{- range .keys }}
        - key: {{ . }}
          path: tenants/{{ . }}
        {{- end }}
  {{- end }}
{{- end -}}

{{- /* certificateOptional: cert-manager has not made it yet at the first installation. */ -}}
{{- define "consentry.secretProjection" -}}
{{- $v := .root.Values -}}
defaultMode: 0440
sources:
  - secret:
      name: {{ $v.masterKey.existingSecret }}
      items:
        - key: {{ $v.masterKey.key }}
          path: master/master.key
  {{- with include "consentry.tlsSecretName" .root }}
  - secret:
      name: {{ . }}
      {{- if $.certificateOptional }}
      optional: true
      {{- end }}
      items:
        - key: tls.crt
          path: tls/tls.crt
        - key: tls.key
          path: tls/tls.key
  {{- end }}
  {{- with include "consentry.caSource" (dict "ca" $v.tls.clientCA "path" "client-ca/ca.crt") }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- range $name, $upstream := $v.upstreams }}
  {{- with $upstream.credential }}
  - secret:
      name: {{ .existingSecret }}
      items:
        - key: {{ .key }}
          path: upstreams/{{ $name }}/credential
  {{- end }}
  {{- range $header, $from := $upstream.headers }}
  - secret:
      name: {{ $from.existingSecret }}
      items:
        - key: {{ $from.key }}
          path: upstreams/{{ $name }}/headers/{{ $header }}
  {{- end }}
  {{- with $upstream.ca }}
  {{- include "consentry.caSource" (dict "ca" . "path" (printf "upstreams/%s/ca.crt" $name)) | nindent 2 }}
  {{- end }}
  {{- end }}
  {{- range $v.extraSecrets }}
  {{- $folder := .name }}
  - secret:
      name: {{ .existingSecret }}
      items:
        {{- range .keys }}
        - key: {{ . }}
          path: extra/{{ $folder }}/{{ . }}
        {{- end }}
  {{- end }}
{{- end -}}

{{/* A root certificate from a ConfigMap or a Secret, as a source of a projected volume. */}}
{{- define "consentry.caSource" -}}
{{- if .ca.existingConfigMap -}}
- configMap:
    name: {{ .ca.existingConfigMap }}
    items:
      - key: {{ .ca.key | default "ca.crt" }}
        path: {{ .path }}
{{- else if .ca.existingSecret -}}
- secret:
    name: {{ .ca.existingSecret }}
    items:
      - key: {{ .ca.key | default "ca.crt" }}
        path: {{ .path }}
{{- end -}}
{{- end -}}

{{/* From SIGTERM on. The drain's time includes what is left for load balancers to notice, so that the sum is more than enough. */}}
{{- define "consentry.stopSeconds" -}}
{{- add .Values.shutdown.preDrainSeconds .Values.shutdown.drainSeconds .Values.shutdown.marginSeconds -}}
{{- end -}}

{{/* A single-writer store can't have two pods for a moment, as a rolling update would. */}}
{{- define "consentry.strategy" -}}
{{- if eq .Values.store.kind "embedded" -}}
type: Recreate
{{- else -}}
type: RollingUpdate
rollingUpdate:
  maxSurge: 1
  maxUnavailable: 0
{{- end -}}
{{- end -}}

{{- /* Without the chart's version: it would roll pods that do not change. */ -}}
{{- define "consentry.podLabels" -}}
{{- $labels := include "consentry.labels" . | fromYaml -}}
{{- toYaml (merge (omit $labels "helm.sh/chart") .Values.podLabels) -}}
{{- end -}}

{{/* What stands in both modes' pod specs beside containers and volumes. */}}
{{- define "consentry.podSpec" -}}
serviceAccountName: {{ include "consentry.serviceAccountName" . }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
securityContext:
  {{- include "consentry.podSecurityContext" . | nindent 2 }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.topologySpread }}
topologySpreadConstraints:
  {{- range . }}
  - topologyKey: {{ .topologyKey }}
    maxSkew: {{ .maxSkew }}
    whenUnsatisfiable: {{ .whenUnsatisfiable }}
    labelSelector:
      matchLabels:
        {{- include "consentry.selectorLabels" $ | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
  {{- end }}
{{- end }}
{{- end -}}
