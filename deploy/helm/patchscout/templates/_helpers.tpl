{{- define "patchscout.labels" -}}
app.kubernetes.io/name: patchscout
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "patchscout.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- /* What server and workers have in common: who they run as, and where they may write. */ -}}
{{- define "patchscout.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: 40
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "patchscout.container" -}}
image: {{ include "patchscout.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- with .Values.server.settingsSecret }}
envFrom:
  - secretRef: {name: {{ . | quote }}}
{{- end }}
{{- end }}

{{- define "patchscout.env" -}}
# The volume belongs to root and the group; the data folder in it must be ours alone.
- {name: PATCHSCOUT_DATA_DIR, value: /data/patchscout}
- {name: PATCHSCOUT_LOG_FORMAT, value: json}
{{- if .Values.database.urlSecret }}
- name: PATCHSCOUT_DATABASE_URL
  valueFrom:
    secretKeyRef: {name: {{ .Values.database.urlSecret | quote }}, key: {{ .Values.database.urlKey | quote }}}
{{- end }}
{{- range $name, $value := .Values.server.settings }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end }}
