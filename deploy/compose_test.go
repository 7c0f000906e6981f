package deploy_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"
)

// composeFile has those parts of the Compose format that compose.yaml uses, and
// no others: what is misspelt does not decode.
type composeFile struct {
	Name     string                    `yaml:"name"`
	Common   yaml.Node                 `yaml:"x-counterfoil"`
	Replica  yaml.Node                 `yaml:"x-replica"`
	Services map[string]composeService `yaml:"services"`
	Configs  map[string]composeSource  `yaml:"configs"`
	Secrets  map[string]composeSource  `yaml:"secrets"`
	Volumes  map[string]struct{}       `yaml:"volumes"`
}

type composeSource struct {
	File string `yaml:"file"`
}

type composeService struct {
	Image       string            `yaml:"image"`
	Pull        string            `yaml:"pull_policy"`
	Hostname    string            `yaml:"hostname"`
	Profiles    []string          `yaml:"profiles"`
	User        string            `yaml:"user"`
	ReadOnly    bool              `yaml:"read_only"`
	CapDrop     []string          `yaml:"cap_drop"`
	SecurityOpt []string          `yaml:"security_opt"`
	Memory      string            `yaml:"mem_limit"`
	Environment map[string]string `yaml:"environment"`
	Command     []string          `yaml:"command"`
	Entrypoint  []string          `yaml:"entrypoint"`
	Restart     string            `yaml:"restart"`
	Grace       time.Duration     `yaml:"stop_grace_period"`
	Ports       []string          `yaml:"ports"`
	Volumes     []string          `yaml:"volumes"`
	Configs     []composeMount    `yaml:"configs"`
	Secrets     []composeMount    `yaml:"secrets"`
	DependsOn   map[string]struct {
		Condition string `yaml:"condition"`
	} `yaml:"depends_on"`
	Healthcheck *struct {
		Test     []string      `yaml:"test"`
		Interval time.Duration `yaml:"interval"`
		Timeout  time.Duration `yaml:"timeout"`
		Retries  int           `yaml:"retries"`
	} `yaml:"healthcheck"`
}

// composeMount is a name, or what is mounted where.
type composeMount struct {
	Source string `yaml:"source"`
	Target string `yaml:"target"`
}

// UnmarshalYAML takes the short form, too.
func (m *composeMount) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		m.Source, m.Target = node.Value, "/run/secrets/"+node.Value
		return nil
	}
	type long composeMount
	return node.Decode((*long)(m))
}

func TestComposeFile(t *testing.T) {
	for _, fault := range composeFaults(read(t, "compose.yaml")) {
		t.Error(fault)
	}
}

// composeFaults is every rule that the file breaks.
func composeFaults(text string) (broken []string) {
	report := func(format string, a ...any) { broken = append(broken, fmt.Sprintf(format, a...)) }
	var file composeFile
	decoder := yaml.NewDecoder(strings.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		return []string{"a part that is none: " + err.Error()}
	}
	replicas := 0
	for name, s := range file.Services {
		if image := regexp.MustCompile(`:[0-9][^:]*$|:\$\{COUNTERFOIL_VERSION:\?`); !image.MatchString(s.Image) {
			report("%s: the image %s has no version", name, s.Image)
		}
		for _, port := range s.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:") {
				report("%s: %s can be reached from elsewhere", name, port)
			}
		}
		for _, m := range append(slices.Clone(s.Configs), s.Secrets...) {
			if file.Configs[m.Source].File == "" && file.Secrets[m.Source].File == "" {
				report("%s: %s is nowhere", name, m.Source)
			}
		}
		for dependency, on := range s.DependsOn {
			if on.Condition == "service_healthy" && file.Services[dependency].Healthcheck == nil {
				report("%s waits for the health of %s, which has none", name, dependency)
			}
		}
		if strings.HasPrefix(s.Image, "counterfoil:") {
			checkOurs(name, s, report)
		}
		if slices.Equal(s.Command, []string{"serve"}) {
			replicas++
			if s.Grace <= 2*drain {
				report("%s is killed before it is done: %s", name, s.Grace)
			}
			if s.Environment["COUNTERFOIL_REPLICA"] != name {
				report("%s does not say its own name in entries", name)
			}
		}
	}
	if replicas < 2 {
		report("there are %d replicas", replicas)
	}
	return broken
}

// checkOurs is about the containers that run our image.
func checkOurs(name string, s composeService, report func(string, ...any)) {
	if s.User != "65532:65532" || !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) ||
		!slices.Equal(s.SecurityOpt, []string{"no-new-privileges:true"}) || s.Memory == "" {
		report("%s may do more than it needs", name)
	}
	for _, m := range s.Secrets {
		if owner := m.Source == "owner"; owner != (name == "migrate") {
			report("%s has the secret %s", name, m.Source)
		}
	}
	for _, v := range s.Volumes {
		if strings.HasPrefix(v, "administration:") && name != "tenant" && name != "keys-init" {
			report("%s has the administration of the keys", name)
		}
	}
	if s.Environment["COUNTERFOIL_CONFIG"] == "" || s.Pull != "never" {
		report("%s has no configuration, or an image of somebody else", name)
	}
}

func TestTwinComposeRulesGoRed(t *testing.T) {
	text := read(t, "compose.yaml")
	for name, twin := range map[string]struct{ old, new, fault string }{
		"a misspelt part":   {"read_only: true", "readonly: true", "a part that is none"},
		"a writable root":   {"read_only: true", "read_only: false", "may do more than it needs"},
		"root":              {`user: "65532:65532"`, `user: "0:0"`, "may do more than it needs"},
		"capabilities":      {"cap_drop: [ALL]", "cap_drop: []", "may do more than it needs"},
		"privileged":        {"read_only: true", "privileged: true", "a part that is none"},
		"the newest image":  {"postgres:15.14-bookworm", "postgres:latest", "has no version"},
		"every interface":   {`["127.0.0.1:8441:8443"]`, `["8441:8443"]`, "can be reached from elsewhere"},
		"one replica":       {"command: [serve]", "command: [version]", "there are 0 replicas"},
		"a hasty kill":      {"stop_grace_period: 90s", "stop_grace_period: 10s", "is killed before it is done"},
		"the owner serves":  {"{source: app, target: /run/secrets/app.dsn}", "{source: owner, target: /run/secrets/owner.dsn}", "has the secret owner"},
		"keys that serve":   {"      - state-2:/var/lib/counterfoil\n", "      - administration:/run/administration:ro\n", "has the administration of the keys"},
		"a secret of none":  {"destroy: {file: ./compose/trial/destroy.dsn}", "", "destroy is nowhere"},
		"one name for two":  {"COUNTERFOIL_REPLICA: counterfoil-2", "COUNTERFOIL_REPLICA: counterfoil-1", "does not say its own name"},
		"no health to wait": {"test: [CMD, vault, status]\n      interval: 2s\n      timeout: 5s\n      retries: 30", "", "waits for the health of keys"},
	} {
		changed := strings.Replace(text, twin.old, twin.new, 1)
		if name == "no health to wait" {
			changed = strings.Replace(text, "    healthcheck:\n      "+twin.old, "", 1)
		}
		if changed == text {
			t.Errorf("%s: nothing changed", name)
			continue
		}
		if got := strings.Join(composeFaults(changed), "\n"); !strings.Contains(got, twin.fault) {
			t.Errorf("%s: %q, want %q", name, got, twin.fault)
		}
	}
}

// The two configurations of the trial are accepted, and only the one of the
// setting up has the owner and the administration.
func TestComposeConfigurations(t *testing.T) {
	for name, sets := range map[string]bool{"counterfoil": false, "administration": true} {
		cfg, err := load(t, read(t, "compose/"+name+".yaml"), map[string]string{"issuer.pem": publicKey()})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if (cfg.Store.Postgres.Owner != "") != sets || (cfg.Keys.Transit.Administration != nil) != sets {
			t.Errorf("%s: owner %q, administration %v", name, cfg.Store.Postgres.Owner, cfg.Keys.Transit.Administration)
		}
		if advice := cfg.Advice(); !sets && len(advice) > 0 {
			t.Errorf("%s: %q", name, advice)
		}
	}
}
