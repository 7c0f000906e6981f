package deploy_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// confinement is what the unit says so that the service can do nothing but serve.
var confinement = map[string]string{
	"NoNewPrivileges": "yes", "CapabilityBoundingSet": "", "AmbientCapabilities": "", "ProtectSystem": "strict",
	"ProtectHome": "yes", "PrivateTmp": "yes", "PrivateDevices": "yes", "PrivateUsers": "yes", "ProtectKernelModules": "yes",
	"ProtectKernelTunables": "yes", "ProtectControlGroups": "yes", "RestrictNamespaces": "yes", "MemoryDenyWriteExecute": "yes",
	"LimitCORE": "0", "MemorySwapMax": "0", "UMask": "0077", "StateDirectoryMode": "0700", "User": "counterfoil",
	"RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
}

func TestUnitConfinesTheService(t *testing.T) {
	for _, fault := range unitFaults(read(t, "systemd/counterfoil.service"), read(t, "config.production.yaml")) {
		t.Error(fault)
	}
}

// unitFaults is what is wrong with a unit, beside the configuration that it is
// for.
func unitFaults(unit, configuration string) (broken []string) {
	report := func(format string, a ...any) { broken = append(broken, fmt.Sprintf(format, a...)) }
	settings := map[string][]string{}
	for line := range strings.Lines(unit) {
		line = strings.TrimSpace(line)
		if name, value, found := strings.Cut(line, "="); found && !strings.HasPrefix(line, "#") {
			settings[name] = append(settings[name], value)
		}
	}
	for name, want := range confinement {
		if got := settings[name]; !slices.Equal(got, []string{want}) {
			report("%s is %q, and must be %q", name, got, want)
		}
	}
	// A configuration names what systemd gives, and systemd gives nothing else.
	var given, named []string
	for _, credential := range settings["LoadCredential"] {
		name, file, _ := strings.Cut(credential, ":")
		given = append(given, name)
		if file != "/etc/counterfoil/secrets/"+name {
			report("the credential %s is from %s", name, file)
		}
	}
	for _, match := range regexp.MustCompile(`(?m)^[^#\n]*/run/credentials/counterfoil\.service/(\S+)`).FindAllStringSubmatch(configuration, -1) {
		named = append(named, match[1])
	}
	slices.Sort(given)
	slices.Sort(named)
	if len(given) == 0 || !slices.Equal(given, named) {
		report("systemd gives %v, the configuration names %v", given, named)
	}
	for _, match := range regexp.MustCompile(`(?m)^(?:data|anchors): /var/lib/(\S+)`).FindAllStringSubmatch(configuration, -1) {
		if !slices.Contains(strings.Fields(strings.Join(settings["StateDirectory"], " ")), match[1]) {
			report("the service cannot write %s", match[1])
		}
	}
	stop := strings.Join(settings["TimeoutStopSec"], "")
	if seconds, err := strconv.Atoi(stop); err != nil || time.Duration(seconds)*time.Second <= 2*drain {
		report("the service is killed before it is done: %s", stop)
	}
	return broken
}

func TestTwinUnitRulesGoRed(t *testing.T) {
	unit, configuration := read(t, "systemd/counterfoil.service"), read(t, "config.production.yaml")
	for name := range confinement {
		if got := strings.Join(unitFaults(strings.Replace(unit, "\n"+name+"=", "\n#"+name+"=", 1), configuration), "\n"); !strings.Contains(got, name+" is") {
			t.Errorf("without %s: %q", name, got)
		}
	}
	for name, twin := range map[string]struct{ old, new, fault string }{
		"a secret less":     {"LoadCredential=destroy.dsn:/etc/counterfoil/secrets/destroy.dsn\n", "", "systemd gives"},
		"the owner's":       {"LoadCredential=app.dsn:", "LoadCredential=owner.dsn:", "systemd gives"},
		"another place":     {"app.dsn:/etc/counterfoil/secrets/app.dsn", "app.dsn:/tmp/app.dsn", "is from /tmp"},
		"no anchors":        {"StateDirectory=counterfoil counterfoil-anchors", "StateDirectory=counterfoil", "cannot write counterfoil-anchors"},
		"a hasty kill":      {"TimeoutStopSec=90", "TimeoutStopSec=30", "killed before it is done"},
		"rights beside it":  {"CapabilityBoundingSet=\n", "CapabilityBoundingSet=\nCapabilityBoundingSet=CAP_SYS_ADMIN\n", "CapabilityBoundingSet is"},
		"a writable system": {"ProtectSystem=strict", "ProtectSystem=full", "ProtectSystem is"},
	} {
		changed := strings.Replace(unit, twin.old, twin.new, 1)
		if changed == unit {
			t.Errorf("%s: nothing changed", name)
			continue
		}
		if got := strings.Join(unitFaults(changed, configuration), "\n"); !strings.Contains(got, twin.fault) {
			t.Errorf("%s: %q, want %q", name, got, twin.fault)
		}
	}
}
