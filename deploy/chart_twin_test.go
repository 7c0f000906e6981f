package deploy_test

import (
	"strings"
	"testing"
)

// The twin of TestRenderedPodsMayDoNoMoreThanTheyNeed: each rule goes red when
// what it guards is taken out of the chart.
func TestTwinRulesGoRed(t *testing.T) {
	for name, twin := range map[string]struct{ old, new, fault string }{
		"root":                {"runAsNonRoot: true", "runAsNonRoot: false", "is not the user of the image"},
		"another user":        {"runAsUser: 65532", "runAsUser: 0", "is not the user of the image"},
		"a writable root":     {"readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "may write its root"},
		"gaining rights":      {"allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true", "gain rights"},
		"rights not given up": {"allowPrivilegeEscalation: false\n            readOnly", "readOnly", "gain rights"},
		"capabilities":        {"drop: [ALL]", "drop: [NET_RAW]", "has capabilities"},
		"added capabilities":  {"drop: [ALL]", "add: [SYS_ADMIN]", "a field that is none"},
		"no seccomp":          {"type: RuntimeDefault", "type: Unconfined", "has no seccomp profile"},
		"a token":             {"      automountServiceAccountToken: false\n", "", "has a token of Kubernetes"},
		"host network":        {"      enableServiceLinks: false\n", "      enableServiceLinks: false\n      hostNetwork: true\n", "a field that is none"},
		"a privileged one":    {"readOnlyRootFilesystem: true", "readOnlyRootFilesystem: true\n            privileged: true", "a field that is none"},
		"the host's disk":     {"          configMap:\n            name: counterfoil\n", "          hostPath: {path: /}\n", "a field that is none"},
		"a secret variable":   {"            - name: COUNTERFOIL_REPLICA\n              valueFrom:\n                fieldRef:\n                  fieldPath: metadata.name", "            - name: PGPASSFILE\n              valueFrom:\n                secretKeyRef: {name: x, key: y}", "a field that is none"},
		"a misspelt field":    {"readinessProbe:", "readynessProbe:", "a field that is none"},
		"writable secrets":    {"mountPath: /run/counterfoil\n              readOnly: true", "mountPath: /run/counterfoil", "may write /run/counterfoil"},
		"unbounded":           {"              memory: 1Gi\n", "              cpu: 2\n", "has no bounds"},
		"one replica":         {"replicas: 2", "replicas: 1", "fewer than two replicas"},
		"liveness by the db":  {"path: /healthz", "path: /readyz", ""},
		"no readiness":        {"path: /readyz", "path: /healthz", "no probe asks /readyz"},
		"a hasty probe":       {"timeoutSeconds: 3", "timeoutSeconds: 2", "before /readyz answers"},
		"a hasty kill":        {"terminationGracePeriodSeconds: 90", "terminationGracePeriodSeconds: 45", "killed before they are done"},
		"no checksum":         {"checksum/config:", "checksum/other:", "do not notice"},
		"a budget of others":  {"  unhealthyPodEvictionPolicy: AlwaysAllow\n  selector:\n    matchLabels:\n      app.kubernetes.io/name: counterfoil", "  selector:\n    matchLabels:\n      app.kubernetes.io/name: other", "PodDisruptionBudget counterfoil selects no pod"},
		"no budget":           {"kind: PodDisruptionBudget", "kind: Service", "there is no PodDisruptionBudget"},
		"a Secret":            {"kind: ServiceAccount", "kind: Secret", "makes a Secret"},
		"a connection string": {"audience: counterfoil\n", "audience: postgres://app@db/x\n", "is in what is rendered"},
		"a private key":       {"-----BEGIN CERTIFICATE-----", "-----BEGIN PRIVATE KEY-----", "is in what is rendered"},
		"the owner serves":    {"path: app.dsn", "path: owner.dsn", "Deployment counterfoil: has [destroy.dsn owner.dsn"},
		"a secret is missing": {"path: destroy.dsn", "path: destroy", "Deployment counterfoil: has"},
		"secrets for all":     {"defaultMode: 0440", "defaultMode: 0444", "secrets have the mode 444"},
		"a token for anybody": {"audience: \"counterfoil-keys\"", "audience: \"\"", "Deployment counterfoil: has"},
		"the owner in a job":  {"path: administration-role-id", "path: owner.dsn", "CronJob counterfoil-init: has"},
	} {
		committed := read(t, "helm/testdata/usual.golden.yaml")
		if strings.HasPrefix(twin.fault, "CronJob") {
			committed = read(t, "helm/testdata/full.golden.yaml")
		}
		golden := committed
		if twin.fault == "" { // the startup probe has it first
			golden = strings.Replace(golden, "livenessProbe:\n            httpGet:\n              "+twin.old, "livenessProbe:\n            httpGet:\n              "+twin.new, 1)
			twin.fault = "no probe asks /healthz"
		} else {
			golden = strings.Replace(golden, twin.old, twin.new, 1)
		}
		if golden == committed {
			t.Errorf("%s: nothing changed", name)
			continue
		}
		if got := strings.Join(faults(golden), "\n"); !strings.Contains(got, twin.fault) {
			t.Errorf("%s: %q, want %q", name, got, twin.fault)
		}
	}
}
