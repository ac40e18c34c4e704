{{/* The ports of all upstreams and key sets that are not in the pod itself, as a JSON list: a policy can't name hosts. */}}
{{- define "consentry.egressPorts" -}}
{{- $urls := list -}}
{{- range $_, $upstream := .Values.upstreams -}}
{{- $urls = append $urls $upstream.url -}}
{{- end -}}
{{- range $_, $issuer := .Values.issuers -}}
{{- $urls = append $urls $issuer.jwks -}}
{{- end -}}
{{- $ports := list -}}
{{- range $urls -}}
{{- $host := (urlParse .).host -}}
{{- if and (hasPrefix "http" .) (not (regexMatch "^(127\\.[0-9.]+|localhost|\\[::1\\])(:[0-9]+)?$" $host)) -}}
{{- $ports = append $ports (regexFind ":[0-9]+$" $host | trimPrefix ":" | default "443" | int) -}}
{{- end -}}
{{- end -}}
{{- $ports | uniq | sortAlpha | toJson -}}
{{- end -}}

{{/* How Prometheus finds the metrics port: `service`, `pod` or nothing. */}}
{{- define "consentry.monitor" -}}
{{- if .Values.monitor.enabled -}}
{{- if ne .Values.monitor.kind "auto" -}}
{{- .Values.monitor.kind -}}
{{- else -}}
{{- eq .Values.mode "gateway" | ternary "service" "pod" -}}
{{- end -}}
{{- end -}}
{{- end -}}
