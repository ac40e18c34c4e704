{{/*
For other charts. With this chart as a dependency (mode: library), a pod of yours becomes:

  metadata:
    annotations:
      {{- include "consentry.sidecar.podAnnotations" .Subcharts.consentry | nindent 6 }}
  spec:
    securityContext:
      {{- include "consentry.sidecar.podSecurityContext" .Subcharts.consentry | nindent 6 }}
    terminationGracePeriodSeconds: {{ add 30 (include "consentry.sidecar.stopSeconds" .Subcharts.consentry) }}
    initContainers:
      {{- include "consentry.sidecar.container" .Subcharts.consentry | nindent 6 }}
    containers:
      - …your app, bound to 127.0.0.1…
    volumes:
      {{- include "consentry.sidecar.volumes" .Subcharts.consentry | nindent 6 }}

Each takes this chart's own context, which Helm gives the parent as .Subcharts.consentry.
*/}}

{{/* One item for spec.initContainers: starts before the app, is stopped after it, and does not keep a Job from ending. */}}
{{- define "consentry.sidecar.container" -}}
{{- $container := include "consentry.container" . | fromYaml -}}
{{- $_ := set $container "restartPolicy" "Always" -}}
{{- toYaml (list $container) -}}
{{- end -}}

{{- define "consentry.sidecar.volumes" -}}
{{- include "consentry.volumes" . -}}
{{- end -}}

{{- define "consentry.sidecar.podAnnotations" -}}
{{- include "consentry.podAnnotations" . -}}
{{- end -}}

{{- define "consentry.sidecar.podSecurityContext" -}}
{{- include "consentry.podSecurityContext" . -}}
{{- end -}}

{{/* What the pod's labels need for this chart's PodMonitor, Service, PDB and NetworkPolicy to find it. */}}
{{- define "consentry.sidecar.podLabels" -}}
{{- include "consentry.selectorLabels" . -}}
{{- end -}}

{{- define "consentry.sidecar.stopSeconds" -}}
{{- include "consentry.stopSeconds" . -}}
{{- end -}}
