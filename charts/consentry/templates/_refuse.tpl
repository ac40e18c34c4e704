{{/*
Everything that values.schema.json can't say: what fits together. All findings at once, as `consentry check` does it.
Helm itself turns `fail` into a note under `helm lint`, so that a chart lints without an installation's own names.
*/}}
{{- define "consentry.refuse" -}}
{{- $found := list -}}
{{- $v := .Values -}}
{{- if not $v.image.repository -}}
{{- $found = append $found "image.repository: no image is published; build one from the Containerfile and name it here" -}}
{{- end -}}
{{- if not $v.masterKey.existingSecret -}}
{{- $found = append $found "masterKey.existingSecret: name the Secret with the key that all other keys are derived from" -}}
{{- end -}}
{{- if and $v.tls.development (or $v.tls.existingSecret $v.tls.certManager.enabled) -}}
{{- $found = append $found "tls: development excludes existingSecret and certManager" -}}
{{- end -}}
{{- if not (or $v.tls.development $v.tls.existingSecret $v.tls.certManager.enabled) -}}
{{- $found = append $found "tls: there is no plain-text data port; set tls.existingSecret, tls.certManager.enabled or (to try it out) tls.development" -}}
{{- end -}}
{{- if and $v.tls.certManager.enabled (not $v.tls.certManager.issuerRef.name) -}}
{{- $found = append $found "tls.certManager.issuerRef.name: name the issuer" -}}
{{- end -}}
{{- if and $v.tls.certManager.enabled (not (or $v.tls.certManager.dnsNames $v.tls.certManager.uris)) -}}
{{- $found = append $found "tls.certManager: give dnsNames or uris" -}}
{{- end -}}
{{- if eq $v.store.kind "embedded" -}}
{{- if gt (int $v.replicaCount) 1 -}}
{{- $found = append $found (printf "replicaCount: %d pods can't share the embedded store: it has a single writer; use 1" (int $v.replicaCount)) -}}
{{- end -}}
{{- if $v.autoscaling.enabled -}}
{{- $found = append $found "autoscaling.enabled: pods can't share the embedded store: it has a single writer" -}}
{{- end -}}
{{- end -}}
{{- if le (int $v.shutdown.drainSeconds) (int $v.shutdown.preDrainSeconds) -}}
{{- $found = append $found (printf "shutdown.drainSeconds: %d leaves nothing after the %d of preDrainSeconds" (int $v.shutdown.drainSeconds) (int $v.shutdown.preDrainSeconds)) -}}
{{- end -}}
{{- if not $v.upstreams -}}
{{- $found = append $found "upstreams: name at least one" -}}
{{- end -}}
{{- range $name, $upstream := $v.upstreams -}}
{{- if and (hasPrefix "http://" $upstream.url) (not (regexMatch "^http://(127\\.[0-9.]+|localhost|\\[::1\\])(:[0-9]+)?(/|$)" $upstream.url)) -}}
{{- $found = append $found (printf "upstreams.%s.url: plain http is for loopback addresses only" $name) -}}
{{- end -}}
{{- end -}}
{{- if not $v.routes -}}
{{- $found = append $found "routes: name at least one" -}}
{{- end -}}
{{- range $name, $route := $v.routes -}}
{{- if not (hasKey $v.upstreams $route.upstream) -}}
{{- $found = append $found (printf "routes.%s.upstream: there is no upstream %q" $name $route.upstream) -}}
{{- end -}}
{{- end -}}
{{- if not (or $v.tenants $v.tenantsFrom) -}}
{{- $found = append $found "tenants: without one, every request is refused; add a file or tenantsFrom" -}}
{{- end -}}
{{- if $found -}}
{{- fail (printf "\n\nThese values can't be deployed:\n  - %s\n" (join "\n  - " $found)) -}}
{{- end -}}
{{- end -}}
