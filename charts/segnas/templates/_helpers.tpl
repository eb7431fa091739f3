{{/* The name of everything in the release's namespace. */}}
{{- define "segnas.name" -}}
{{- $name := contains "segnas" .Release.Name | ternary .Release.Name (printf "%s-segnas" .Release.Name) -}}
{{ $name | replace "." "-" | trunc 52 | trimSuffix "-" }}
{{- end }}

{{/* The name of what lies outside namespaces: two releases of one name must not meet there. */}}
{{- define "segnas.clusterName" -}}
{{ .Release.Namespace }}-{{ include "segnas.name" . }}
{{- end }}

{{- define "segnas.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ default (include "segnas.name" .) .Values.serviceAccount.name }}
{{- else -}}
{{ required "serviceAccount.name is needed where serviceAccount.create is false: name the ServiceAccount that the operator runs as." .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "segnas.selector" -}}
app.kubernetes.io/name: segnas
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "segnas.labels" -}}
{{ include "segnas.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "segnas.image" -}}
{{ .image.repository }}:{{ .image.tag | default .version }}
{{- end }}

{{/* Pod Security "restricted". */}}
{{- define "segnas.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "segnas.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}
