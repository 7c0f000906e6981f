package deploy_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/config"
	"github.com/counterfoil/counterfoil/internal/httpapi"
	"github.com/counterfoil/counterfoil/internal/webhook"
)

// installations are the values under helm/testdata.
var installations = []string{"usual", "full", "plain"}

const (
	user       = 65532 // of the image
	secretsDir = "/run/counterfoil"
)

// The configuration that the chart makes is one that the service accepts, with
// the files that are beside it in the ConfigMap, and says what the values say.
func TestRenderedConfigurationsAreAccepted(t *testing.T) {
	for _, name := range installations {
		_, all := rendered(t, name)
		for _, m := range all {
			if m.Kind != "ConfigMap" {
				continue
			}
			cfg, err := load(t, inPlace(m.Data["counterfoil.yaml"]), withSecrets(m.Data))
			if err != nil {
				t.Errorf("%s, %s: %v", name, m.Metadata.Name, err)
				continue
			}
			owner, keys := strings.HasSuffix(m.Metadata.Name, "-migrate"), strings.HasSuffix(m.Metadata.Name, "-administration")
			if (cfg.Store.Postgres.Owner != "") != owner || (cfg.Keys.Transit.Administration != nil) != keys {
				t.Errorf("%s, %s: owner %q, administration %v", name, m.Metadata.Name, cfg.Store.Postgres.Owner, cfg.Keys.Transit.Administration)
			}
			if advice := cfg.Advice(); !owner && !keys && len(advice) > 0 {
				t.Errorf("%s, %s: %q", name, m.Metadata.Name, advice)
			}
		}
	}
}

// The headers are the one secret that is read with the configuration: it is
// looked for beside it.
const headers = "telemetry-headers"

// The secrets of webhooks and the policy are, too.
func inPlace(text string) string {
	return strings.NewReplacer(secretsDir+"/"+headers, headers, secretsDir+"/webhook-", "webhook-", "/etc/counterfoil-policy/", "").Replace(text)
}

func withSecrets(data map[string]string) map[string]string {
	files := maps.Clone(data)
	files[headers] = "Authorization: Bearer x\n"
	secret := "whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, webhook.MinSecretBytes))
	files["webhook-on-call"], files["webhook-archive"], files["policy.tar.gz"] = secret, secret, "looked at when it is read"
	return files
}

func TestRenderedValuesArrive(t *testing.T) {
	_, all := rendered(t, "full")
	var got *config.Serve
	for _, m := range all {
		if m.Kind == "ConfigMap" && m.Metadata.Name == "counterfoil" {
			var err error
			if got, err = load(t, inPlace(m.Data["counterfoil.yaml"]), withSecrets(m.Data)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got == nil {
		t.Fatal("no ConfigMap")
	}
	p, keys, issuer := got.Store.Postgres, got.Keys.Transit, got.Issuers[0]
	if p.MaxConns != 8 || !p.Pooled || p.Audit == "" || keys.Namespace != "privacy" || keys.Mount != "counterfoil-transit" ||
		keys.KeyPrefix != "staging-" || keys.Serving.AppRole == nil || keys.Serving.Kubernetes != nil {
		t.Errorf("%+v, %+v", p, keys)
	}
	if got.Environment != "staging" || *got.Limits.BodyBytes != 1<<20 || *got.Limits.RequestSeconds != 20 ||
		issuer.Keys[0].KID != "2026-01" || len(issuer.Tenants) != 2 || got.Telemetry == nil || got.Telemetry.SampleRatio != 0.01 || path.Base(got.TLS.ClientCA) != "clients-ca.pem" {
		t.Errorf("%+v", got)
	}
}

// What bounds callers, decides and tells arrives, too.
func TestRenderedRatesPolicyAndWebhooks(t *testing.T) {
	_, all := rendered(t, "full")
	for _, m := range all {
		if m.Kind != "ConfigMap" {
			continue
		}
		got, err := load(t, inPlace(m.Data["counterfoil.yaml"]), withSecrets(m.Data))
		if err != nil {
			t.Fatal(err)
		}
		issuer := got.Issuers[0]
		if issuer.PersonClaim != "employee_number" || issuer.Namespace != "people" {
			t.Errorf("%s: %+v", m.Metadata.Name, issuer)
		}
		serves, migrates := m.Metadata.Name == "counterfoil", m.Metadata.Name == "counterfoil-migrate"
		// A trim asks the policy, too, whether others must approve it.
		if p := got.Policy; (p == nil) != migrates || p != nil && (path.Base(p.Path) != "policy.tar.gz" || p.Key == "" || p.AdministeredBy != "acme") {
			t.Errorf("%s: policy %+v", m.Metadata.Name, p)
		}
		if (got.Rates != nil) != serves || (got.Webhooks != nil) != serves {
			t.Errorf("%s: rates %v, webhooks %v", m.Metadata.Name, got.Rates, got.Webhooks)
		}
		if !serves {
			continue
		}
		if got.Rates.Caller.PerSecond != 0.5 || got.Rates.Caller.Burst != 30 || got.Rates.Tenant.Burst != 1000 {
			t.Errorf("%+v %+v", got.Rates.Caller, got.Rates.Tenant)
		}
		told := got.Webhooks.Config().Endpoints
		if len(told) != 2 || !told[0].Internal || told[1].Internal || len(told[0].Kinds) != 2 || len(told[1].Tenants) != 2 || len(told[0].Secrets) != 1 {
			t.Errorf("%+v", told)
		}
	}
}

func TestRenderedPodsMayDoNoMoreThanTheyNeed(t *testing.T) {
	for _, name := range installations {
		text := read(t, "helm/testdata/"+name+".golden.yaml")
		for _, fault := range faults(text) {
			t.Errorf("%s: %s", name, fault)
		}
	}
}

// faults is every rule that a rendered chart breaks.
func faults(text string) (broken []string) {
	report := func(format string, a ...any) { broken = append(broken, fmt.Sprintf(format, a...)) }
	all, err := manifests(text)
	if err != nil {
		return []string{"a field that is none: " + err.Error()}
	}
	workloads, err := pods(all)
	if err != nil {
		return []string{"a field that is none: " + err.Error()}
	}
	for name, t := range workloads {
		checkPod(t.Spec, func(format string, a ...any) { report(name+": "+format, a...) })
	}
	checkSecrets(text, all, report)
	service, found := workloads["Deployment counterfoil"]
	if !found {
		return append(broken, "there is no Deployment")
	}
	checkService(service, report)
	checkSelectors(all, workloads, report)
	checkSources(all, workloads, report)
	return broken
}

func checkPod(p pod, report func(string, ...any)) {
	s := p.Security
	if !s.NonRoot || s.User != user || s.Group != user || s.FSGroup != user {
		report("is not the user of the image")
	}
	if s.Seccomp.Type != "RuntimeDefault" {
		report("has no seccomp profile")
	}
	if p.Automount == nil || *p.Automount || p.ServiceLinks == nil || *p.ServiceLinks {
		report("has a token of Kubernetes or the addresses of all Services")
	}
	for _, c := range p.Containers {
		if !c.Security.ReadOnlyRoot || c.Security.Escalation == nil || *c.Security.Escalation {
			report("may write its root or gain rights")
		}
		if !slices.Equal(c.Security.Capabilities.Drop, []string{"ALL"}) {
			report("has capabilities")
		}
		if c.Limits.Limits["memory"] == "" || c.Limits.Requests["memory"] == "" || c.Limits.Requests["cpu"] == "" {
			report("has no bounds")
		}
		for _, m := range c.Mounts {
			if m.Name != "state" && !m.ReadOnly {
				report("may write %s", m.Path)
			}
		}
	}
}

// checkSecrets looks for what belongs into a Secret, and for Secrets that the
// chart would have to know the content of.
func checkSecrets(text string, all []manifest, report func(string, ...any)) {
	for _, m := range all {
		if m.Kind == "Secret" {
			report("the chart makes a Secret")
		}
	}
	if found := regexp.MustCompile(`(?i)PRIVATE KEY|postgres(ql)?://|password|hvs\.`).FindString(text); found != "" {
		report("%q is in what is rendered", found)
	}
}

func checkService(t template, report func(string, ...any)) {
	c := t.Spec.Containers[0]
	if t.Metadata.Annotations["checksum/config"] == "" {
		report("pods do not notice a configuration that changed")
	}
	for name, p := range map[string]*probe{"/healthz": c.Liveness, "/readyz": c.Readiness} {
		if p == nil || (p.HTTP == nil) == (p.TCP == nil) || (p.HTTP != nil && p.HTTP.Path != name) {
			report("no probe asks %s", name)
		}
	}
	if c.Startup == nil {
		report("a slow start ends in a restart")
	}
	if ready := c.Readiness; ready != nil && time.Duration(ready.Timeout)*time.Second <= httpapi.ReadyTimeout {
		report("the probe gives up before /readyz answers")
	}
	if stop := time.Duration(c.Lifecycle.PreStop.Sleep.Seconds) * time.Second; time.Duration(t.Spec.Grace)*time.Second <= stop+2*drain {
		report("pods are killed before they are done: %d s", t.Spec.Grace)
	}
}

// checkSelectors tells whether what selects pods finds some.
func checkSelectors(all []manifest, workloads map[string]template, report func(string, ...any)) {
	kinds := map[string]int{}
	for _, m := range all {
		kinds[m.Kind]++
		var wanted map[string]string
		var fields struct {
			Selector    map[string]any `yaml:"selector"`
			PodSelector selector       `yaml:"podSelector"`
			Replicas    int            `yaml:"replicas"`
		}
		if m.Spec.Kind == 0 || m.Spec.Decode(&fields) != nil {
			continue
		}
		switch m.Kind {
		case "NetworkPolicy":
			wanted = fields.PodSelector.MatchLabels
		case "Service":
			wanted = labels(fields.Selector)
		case "Deployment", "PodDisruptionBudget":
			matching, _ := fields.Selector["matchLabels"].(map[string]any)
			wanted = labels(matching)
		default:
			continue
		}
		if m.Kind == "Deployment" && fields.Replicas < 2 {
			report("there are fewer than two replicas")
		}
		if len(wanted) == 0 || !slices.ContainsFunc(slices.Collect(maps.Values(workloads)), func(t template) bool { return within(wanted, t.Metadata.Labels) }) {
			report("%s %s selects no pod", m.Kind, m.Metadata.Name)
		}
	}
	for _, kind := range []string{"PodDisruptionBudget", "Service", "ServiceAccount", "ConfigMap"} {
		if kinds[kind] == 0 {
			report("there is no %s", kind)
		}
	}
}

func labels(from map[string]any) map[string]string {
	out := map[string]string{}
	for name, value := range from {
		out[name], _ = value.(string)
	}
	return out
}

func within(wanted, given map[string]string) bool {
	for name, value := range wanted {
		if given[name] != value {
			return false
		}
	}
	return true
}

// needs is which of the secrets that its configuration names a pod reads. The
// owner's is for the migration alone, the certificate for what listens.
var needs = map[string]func(file string) bool{
	"service":        func(file string) bool { return file != "owner.dsn" && !strings.HasPrefix(file, "administration-") },
	"migrate":        func(file string) bool { return file == "owner.dsn" },
	"administration": func(file string) bool { return file != "owner.dsn" && !strings.HasPrefix(file, "tls/") },
}

// checkSources compares what the configurations name with what is mounted: each
// pod has all that it reads, and none has what is another's.
func checkSources(all []manifest, workloads map[string]template, report func(string, ...any)) {
	named := regexp.MustCompile(secretsDir + `/(\S+)`)
	for name, t := range workloads {
		var config string
		var mounted, wanted []string
		for _, v := range t.Spec.Volumes {
			if v.ConfigMap != nil {
				for _, m := range all {
					if m.Kind == "ConfigMap" && m.Metadata.Name == v.ConfigMap.Name {
						config = m.Data["counterfoil.yaml"]
					}
				}
			}
			if v.Projected != nil {
				if v.Projected.Mode != 0o440 {
					report("%s: secrets have the mode %o", name, v.Projected.Mode)
				}
				mounted = append(mounted, paths(v.Projected.Sources)...)
			}
		}
		reads := needs[t.Metadata.Labels["app.kubernetes.io/component"]]
		if reads == nil {
			report("%s: is no component", name)
			continue
		}
		for _, match := range named.FindAllStringSubmatch(config, -1) {
			if reads(match[1]) {
				wanted = append(wanted, match[1])
			}
		}
		slices.Sort(wanted)
		slices.Sort(mounted)
		if len(wanted) == 0 || !slices.Equal(wanted, mounted) {
			report("%s: has %v, needs %v", name, mounted, wanted)
		}
	}
}

func paths(sources []source) (all []string) {
	for _, s := range sources {
		if s.Secret != nil {
			for _, item := range s.Secret.Items {
				all = append(all, item.Path)
			}
		}
		if s.Token != nil && s.Token.Audience != "" {
			all = append(all, s.Token.Path)
		}
	}
	return all
}

// drain is how long the service takes for what it has accepted, and again for
// the last entry and the anchors; TestDrainIsThatOfTheService holds it to that.
const drain = 40 * time.Second

func TestDrainIsThatOfTheService(t *testing.T) {
	source := read(t, "../cmd/counterfoil/listen.go")
	found := regexp.MustCompile(`(?m)^const drainTimeout = (\d+) \* time\.Second$`).FindStringSubmatch(source)
	if found == nil {
		t.Fatal("cmd/counterfoil/listen.go has no drainTimeout in seconds")
	}
	if seconds := must(strconv.Atoi(found[1])); time.Duration(seconds)*time.Second != drain {
		t.Errorf("the service drains for %d s: mend drain here and what waits for it (chart, unit, compose)", seconds)
	}
}
