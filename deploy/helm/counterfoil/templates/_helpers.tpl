{{- define "counterfoil.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}
{{- end -}}
{{- end -}}

{{- define "counterfoil.selector" -}}
app.kubernetes.io/name: counterfoil
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "counterfoil.labels" -}}
{{ include "counterfoil.selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "counterfoil.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ with .tag }}:{{ . }}{{ end }}{{ with .digest }}@{{ . }}{{ end }}
{{- end -}}
{{- end -}}

{{/* Labels and life of what is there for the migration only. Before the first
install nothing of the release exists yet, so it brings all that it needs. */}}
{{- define "counterfoil.hook" -}}
helm.sh/hook: pre-install,pre-upgrade
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}

{{/* A file that a setting names and nobody gave would stop the service at its
start. */}}
{{- define "counterfoil.needsFile" -}}
{{- if and .name (not (hasKey .files .name)) -}}
{{- fail (printf "%s: there is no such name in files" .setting) -}}
{{- end -}}
{{- end -}}

{{- define "counterfoil.checkFiles" -}}
{{- $files := .Values.files -}}
{{- range $n, $issuer := .Values.issuers -}}
{{- with $issuer.jwks -}}
{{- include "counterfoil.needsFile" (dict "files" $files "name" .ca "setting" (printf "issuers[%d].jwks.ca" $n)) -}}
{{- end -}}
{{- range $k, $key := $issuer.keys -}}
{{- include "counterfoil.needsFile" (dict "files" $files "name" $key.file "setting" (printf "issuers[%d].keys[%d].file" $n $k)) -}}
{{- end -}}
{{- end -}}
{{- include "counterfoil.needsFile" (dict "files" $files "name" .Values.transit.ca "setting" "transit.ca") -}}
{{- include "counterfoil.needsFile" (dict "files" $files "name" .Values.tls.clientCA "setting" "tls.clientCA") -}}
{{- include "counterfoil.needsFile" (dict "files" $files "name" .Values.telemetry.ca "setting" "telemetry.ca") -}}
{{- include "counterfoil.needsFile" (dict "files" $files "name" .Values.webhooks.ca "setting" "webhooks.ca") -}}
{{- end -}}

{{/* How an identity shows itself to the key service: .login are the values of it,
.file begins the names of its files. */}}
{{- define "counterfoil.login" -}}
{{- $secrets := "/run/counterfoil" -}}
{{- $login := dict -}}
{{- $file := .file -}}
{{- with .login.kubernetes -}}
{{- if .role -}}
{{- $_ := set $login "kubernetes" (dict "mount" .mount "role" .role "jwt_file" (printf "%s/%s-jwt" $secrets $file)) -}}
{{- end -}}
{{- end -}}
{{- with .login.approle -}}
{{- if .secret -}}
{{- $_ := set $login "approle" (dict "mount" .mount "role_id_file" (printf "%s/%s-role-id" $secrets $file)
      "secret_id_file" (printf "%s/%s-secret-id" $secrets $file)) -}}
{{- end -}}
{{- end -}}
{{ toYaml $login }}
{{- end -}}

{{/* The files of that identity, as sources of a projected volume. */}}
{{- define "counterfoil.loginSources" -}}
{{- $file := .file -}}
{{- with .login.approle }}
{{- if .secret }}
- secret:
    name: {{ .secret }}
    items:
      - {key: {{ .roleIDKey | quote }}, path: {{ $file }}-role-id}
      - {key: {{ .secretIDKey | quote }}, path: {{ $file }}-secret-id}
{{- end }}
{{- end }}
{{- with .login.kubernetes }}
{{- if .role }}
- serviceAccountToken:
    path: {{ $file }}-jwt
    audience: {{ .audience | quote }}
    expirationSeconds: {{ int64 .expirationSeconds }}
{{- end }}
{{- end }}
{{- end -}}

{{/* What a pod that opens the store and the keys has in /run/counterfoil. */}}
{{- define "counterfoil.storeSources" -}}
{{- range $role := list "app" "destroy" "audit" }}
{{- with index $.Values.postgres $role }}
{{- if .secret }}
- secret:
    name: {{ .secret }}
    items:
      - {key: {{ .key | quote }}, path: {{ $role }}.dsn}
{{- end }}
{{- end }}
{{- end }}
{{- include "counterfoil.loginSources" (dict "login" .Values.transit "file" "transit") }}
{{- end -}}

{{/* And what one that listens has besides. */}}
{{- define "counterfoil.listenSources" -}}
{{- with .Values.tls.secret }}
- secret:
    name: {{ . }}
    items:
      - {key: tls.crt, path: tls/tls.crt}
      - {key: tls.key, path: tls/tls.key}
{{- end }}
{{- with .Values.telemetry.headers }}
{{- if .secret }}
- secret:
    name: {{ .secret }}
    items:
      - {key: {{ .key | quote }}, path: telemetry-headers}
{{- end }}
{{- end }}
{{- range .Values.webhooks.endpoints }}
- secret:
    name: {{ .secret }}
    items:
      - {key: {{ .key | default "secret" | quote }}, path: webhook-{{ .name }}}
{{- end }}
{{- end -}}

{{/* The policy bundle of somebody else's ConfigMap: a folder of its own, so that
one that changes arrives in the pod. */}}
{{- define "counterfoil.policyMount" -}}
{{- if .Values.policy.configMap -}}
- name: policy
  mountPath: /etc/counterfoil-policy
  readOnly: true
{{- end -}}
{{- end -}}

{{- define "counterfoil.policyVolume" -}}
{{- with .Values.policy.configMap -}}
- name: policy
  configMap:
    name: {{ . }}
{{- end -}}
{{- end -}}

{{/* Who is told, for counterfoil.yaml. */}}
{{- define "counterfoil.webhooks" -}}
{{- $endpoints := list -}}
{{- range .endpoints -}}
{{- $one := dict "name" .name "url" .url "secret_file" (printf "/run/counterfoil/webhook-%s" .name) -}}
{{- with .kinds }}{{ $_ := set $one "kinds" . }}{{ end -}}
{{- $_ := set $one "tenants" .tenants -}}
{{- if .internal }}{{ $_ := set $one "internal" true }}{{ end -}}
{{- $endpoints = append $endpoints $one -}}
{{- end -}}
{{- $webhooks := dict "allow_hosts" .allowHosts "endpoints" $endpoints -}}
{{- with .ca }}{{ $_ := set $webhooks "ca" . }}{{ end -}}
{{ toYaml $webhooks }}
{{- end -}}

{{/* counterfoil.yaml, for one of: service, migrate, administration. Each names
only what it needs. */}}
{{- define "counterfoil.config" -}}
{{- $v := .root.Values -}}
{{- $secrets := "/run/counterfoil" -}}
{{- $postgres := dict "app_dsn_file" (printf "%s/app.dsn" $secrets) "destroy_dsn_file" (printf "%s/destroy.dsn" $secrets)
      "max_conns" (int64 $v.postgres.maxConnections) "pgbouncer" $v.postgres.pgbouncer -}}
{{- if $v.postgres.audit.secret -}}
{{- $_ := set $postgres "audit_dsn_file" (printf "%s/audit.dsn" $secrets) -}}
{{- end -}}
{{- if eq .for "migrate" -}}
{{- $_ := set $postgres "owner_dsn_file" (printf "%s/owner.dsn" $secrets) -}}
{{- end -}}
{{- $transit := dict "address" $v.transit.address "ca" $v.transit.ca "mount" $v.transit.mount
      "serving" (include "counterfoil.login" (dict "login" $v.transit "file" "transit") | fromYaml) -}}
{{- if eq .for "administration" -}}
{{- $_ := set $transit "administration" (include "counterfoil.login" (dict "login" $v.administration "file" "administration") | fromYaml) -}}
{{- end -}}
{{- with $v.transit.namespace }}{{ $_ := set $transit "namespace" . }}{{ end -}}
{{- with $v.transit.keyPrefix }}{{ $_ := set $transit "key_prefix" . }}{{ end -}}
{{- $tls := dict "terminated_upstream" true -}}
{{- if $v.tls.secret -}}
{{- $tls = dict "cert" (printf "%s/tls/tls.crt" $secrets) "key" (printf "%s/tls/tls.key" $secrets) "min_version" "1.3" -}}
{{- with $v.tls.clientCA }}{{ $_ := set $tls "client_ca" . }}{{ end -}}
{{- end -}}
{{- $config := dict "listen" "0.0.0.0:8443" "environment" $v.environment "log_prefix" $v.logPrefix
      "data" "/var/lib/counterfoil/data" "anchors" "/var/lib/counterfoil/anchors"
      "store" (dict "postgres" $postgres) "keys" (dict "transit" $transit) "issuers" $v.issuers "tls" $tls
      "finality" (dict "key_epoch" $v.finality.keyEpoch "backup_horizon" $v.finality.backupHorizon
      "key_backup_retention" $v.finality.keyBackupRetention) -}}
{{- if $v.limits -}}
{{- $limits := dict -}}
{{- range $name, $value := $v.limits }}{{ $_ := set $limits $name (int64 $value) }}{{ end -}}
{{- $_ := set $config "limits" $limits -}}
{{- end -}}
{{- if ne .for "migrate" -}}
{{- $policy := dict -}}
{{- with $v.policy.configMap }}{{ $_ := set $policy "path" (printf "/etc/counterfoil-policy/%s" $v.policy.key) }}{{ end -}}
{{- with $v.policy.signedBy }}{{ $_ := set $policy "key" . }}{{ end -}}
{{- with $v.policy.administeredBy }}{{ $_ := set $policy "administered_by" . }}{{ end -}}
{{- with $policy }}{{ $_ := set $config "policy" . }}{{ end -}}
{{- end -}}
{{- if eq .for "service" -}}
{{- with $v.rates -}}
{{- $rates := dict -}}
{{- range $whose, $rate := . -}}
{{- $_ := set $rates $whose (dict "per_second" $rate.per_second "burst" (int64 $rate.burst)) -}}
{{- end -}}
{{- $_ := set $config "rates" $rates -}}
{{- end -}}
{{- if $v.webhooks.endpoints -}}
{{- $_ := set $config "webhooks" (include "counterfoil.webhooks" $v.webhooks | fromYaml) -}}
{{- end -}}
{{- end -}}
{{- with $v.telemetry -}}
{{- if and .endpoint (eq $.for "service") -}}
{{- $telemetry := dict "otlp_endpoint" .endpoint "sample_ratio" .sampleRatio "service_name" .serviceName "parent" .parent -}}
{{- with .ca }}{{ $_ := set $telemetry "ca" . }}{{ end -}}
{{- if .headers.secret }}{{ $_ := set $telemetry "headers_file" (printf "%s/telemetry-headers" $secrets) }}{{ end -}}
{{- if .plainHTTP }}{{ $_ := set $telemetry "plain_http" true }}{{ end -}}
{{- $_ := set $config "telemetry" $telemetry -}}
{{- end -}}
{{- end -}}
{{ toYaml $config }}
{{- end -}}

{{/* What every pod has in common. */}}
{{- define "counterfoil.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "counterfoil.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* The kubelet has no client certificate to show. */}}
{{- define "counterfoil.probe" -}}
{{- if .root.Values.tls.clientCA -}}
tcpSocket:
  port: api
{{- else -}}
httpGet:
  path: {{ .path }}
  port: api
  scheme: {{ ternary "HTTPS" "HTTP" (ne .root.Values.tls.secret "") }}
{{- end -}}
{{- end -}}

{{- define "counterfoil.stateVolume" -}}
{{- if eq .Values.state.kind "claim" -}}
persistentVolumeClaim:
  claimName: {{ .Values.state.existingClaim | default (include "counterfoil.fullname" .) }}
{{- else -}}
emptyDir:
  sizeLimit: 64Mi
{{- end -}}
{{- end -}}

{{/* Where pods may be placed and pulled from. */}}
{{- define "counterfoil.placement" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
