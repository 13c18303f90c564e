{{- define "doorbuster.name" -}}
{{- .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "doorbuster.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "doorbuster.selector" -}}
app.kubernetes.io/name: {{ include "doorbuster.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end -}}

{{- define "doorbuster.labels" -}}
{{ include "doorbuster.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{- define "doorbuster.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "doorbuster.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "doorbuster.fullname" .) -}}
{{- end -}}

{{- define "doorbuster.secret" -}}
{{- .Values.secrets.existingSecret | default (printf "%s-secrets" (include "doorbuster.fullname" .)) -}}
{{- end -}}

{{/* The keys of the secret that processes of the engine get, separated by spaces. */}}
{{- define "doorbuster.secretKeys" -}}
database-url api-key operator-token secret-key web-key
{{- if .Values.secrets.existingSecret -}}
{{- range .Values.secrets.keys }} {{ . }}{{ end -}}
{{- else -}}
{{- if .Values.secrets.redisUrl }} redis-url{{ end -}}
{{- if .Values.secrets.amqpUrl }} amqp-url{{ end -}}
{{- end -}}
{{- end -}}

{{- define "doorbuster.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
seccompProfile:
  type: RuntimeDefault
{{- with .Values.sysctls }}
sysctls: {{ toJson . }}
{{- end }}
{{- end -}}

{{- define "doorbuster.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Settings of a process of the engine, with secrets read from files. */}}
{{- define "doorbuster.env" -}}
{{- range $name, $value := .Values.settings }}
{{- if ne (toString $value) "" }}
- name: {{ $name }}
  value: {{ toString $value | quote }}
{{- end }}
{{- end }}
- name: DRAIN_DELAY_MS
  value: {{ int .Values.drain.delayMs | quote }}
- name: DRAIN_TIMEOUT_MS
  value: {{ int .Values.drain.timeoutMs | quote }}
- name: ENABLE_METRICS
  value: "true"
- name: METRICS_HOST
  value: 0.0.0.0
- name: METRICS_PORT
  value: {{ int .Values.metrics.port | quote }}
{{- range splitList " " (include "doorbuster.secretKeys" .) }}
- name: {{ . | upper | replace "-" "_" }}_FILE
  value: /run/secrets/doorbuster/{{ . }}
{{- end }}
{{- end -}}

{{/* Seconds until a pod is killed: the time of a stop, rounded up, the preStop wait, and a margin of five. */}}
{{- define "doorbuster.graceSeconds" -}}
{{- $drainMs := add (int .root.Values.drain.delayMs) (mul 2 (int .root.Values.drain.timeoutMs)) -}}
{{- add (div (add $drainMs 999) 1000) (int .preStopSeconds) 5 -}}
{{- end -}}

{{- define "doorbuster.scheduling" -}}
{{- with .root.Values.scheduling }}
{{- with .nodeSelector }}
nodeSelector: {{ toJson . }}
{{- end }}
{{- with .tolerations }}
tolerations: {{ toJson . }}
{{- end }}
{{- with .affinity }}
affinity: {{ toJson . }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .topologySpread }}
topologySpreadConstraints:
{{- range . }}
  - topologyKey: {{ .topologyKey }}
    maxSkew: {{ .maxSkew }}
    whenUnsatisfiable: {{ .whenUnsatisfiable }}
    labelSelector:
      matchLabels: {{- include "doorbuster.selector" $ | nindent 8 }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Volumes of a process of the engine: its secrets, and scratch space that need not be kept. */}}
{{- define "doorbuster.volumes" -}}
- name: tmp
  emptyDir: { medium: Memory, sizeLimit: 64Mi }
- name: data
  emptyDir: { sizeLimit: 64Mi }
- name: secrets
  secret:
    secretName: {{ include "doorbuster.secret" . }}
    defaultMode: 0440
    items:
    {{- range splitList " " (include "doorbuster.secretKeys" .) }}
      - { key: {{ . }}, path: {{ . }} }
    {{- end }}
{{- end -}}

{{- define "doorbuster.mounts" -}}
- { name: tmp, mountPath: /tmp }
- { name: data, mountPath: /data }
- { name: secrets, mountPath: /run/secrets/doorbuster, readOnly: true }
{{- end -}}

{{/* Pod fields common to all roles. */}}
{{- define "doorbuster.pod" -}}
serviceAccountName: {{ include "doorbuster.serviceAccount" .root }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets: {{ toJson . }}
{{- end }}
securityContext: {{- include "doorbuster.podSecurity" .root | nindent 2 }}
terminationGracePeriodSeconds: {{ include "doorbuster.graceSeconds" . }}
{{- include "doorbuster.scheduling" . }}
{{- end -}}

{{- define "doorbuster.podMetadata" -}}
labels: {{- include "doorbuster.labels" . | nindent 2 }}
{{- range $name, $value := .root.Values.podLabels }}
  {{ $name }}: {{ $value | quote }}
{{- end }}
{{- with .root.Values.podAnnotations }}
annotations: {{ toJson . }}
{{- end }}
{{- end -}}

{{- define "doorbuster.container" -}}
image: {{ include "doorbuster.image" .root }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext: {{- include "doorbuster.containerSecurity" .root | nindent 2 }}
{{- end -}}
