//go:build tools

package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/authn"
)

// mostExposure is what systemd-analyze counts of the unit, times ten: the network
// is what is left.
const mostExposure = "13"

func TestUnitIsOneOfSystemd(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("systemd-analyze is not here")
	}
	// The program must be there to be verified: this one stands for it.
	self := must(os.Executable())
	unit := strings.ReplaceAll(read(t, "systemd/counterfoil.service"), "/usr/local/bin/counterfoil", self)
	path := filepath.Join(t.TempDir(), "counterfoil.service")
	if err := os.WriteFile(path, []byte(unit), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "systemd-analyze", "verify", "--man=no", path).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := exec.CommandContext(t.Context(), "systemd-analyze", "security", "--offline=true", "--threshold="+mostExposure, path).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// What prepare.sh makes and credential.sh signs is accepted by a service with the
// configuration of the trial.
func TestTrialCredentialsAreAccepted(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"prepare.sh", "credential.sh"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(read(t, "compose/"+name)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sh := func(args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), "sh", args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		return strings.TrimSpace(string(out)), err
	}
	if out, err := sh("prepare.sh"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := sh("prepare.sh"); err == nil {
		t.Errorf("a second time: %s", out)
	}
	cfg, err := load(t, read(t, "compose/counterfoil.yaml"), map[string]string{"issuer.pem": read(t, filepath.Join(dir, "trial/issuer.pem"))})
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := authn.New(cfg.Trusted())
	if err != nil {
		t.Fatal(err)
	}
	defer verifier.Close()
	credential, err := sh("credential.sh", "gateway")
	if err != nil {
		t.Fatalf("%v\n%s", err, credential)
	}
	caller, err := verifier.Verify(t.Context(), credential)
	if err != nil || caller.Tenant != "acme" || caller.Client != "gateway-1" {
		t.Errorf("%+v, %v", caller, err)
	}
	if _, err := verifier.Verify(t.Context(), credential+"A"); err == nil {
		t.Error("a credential that was changed is accepted")
	}
}
