package system

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// configuration is that of every process of the service. What is not here is as it comes.
const configuration = `listen: 127.0.0.1:0
environment: production
replica: %[1]s
log_prefix: bench.invalid/log
data: data/%[1]s
finality: {key_backup_retention: 0d}
policy: {path: %[2]s}
issuers:
  - issuer: %[3]s
    audience: %[4]s
    algorithms: [ES256]
    jwks: {url: "%[3]s/jwks", ca: issuer.pem}
    tenant_claim: tenant
    roles_claim: roles
    client_claim: azp
    tenants: [%[5]s]
%[6]s`

// configure writes the configuration of a process and returns its path.
func (s *Site) configure(name, backends string) (string, error) {
	path := s.path(name + ".yaml")
	text := fmt.Sprintf(configuration, name, s.policy, s.issuer.server.URL, audience, strings.Join(s.tenants, ", "), backends)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return "", fmt.Errorf("system: %w", err)
	}
	return path, nil
}

// production are the backends of a replica; whoever prepares them has two identities
// more. It calls what may fail the host.
func (s *Site) production(administration bool) string {
	serving := s.vault.Serving(s.host).Login.AppRole
	var owner, keys string
	if administration {
		role := s.vault.Keys(s.host).Login.AppRole
		owner = "\n    owner_dsn_file: owner.dsn"
		keys = fmt.Sprintf("\n    administration: {approle: {role_id_file: %s, secret_id_file: %s}}", role.RoleIDFile, role.SecretIDFile)
	}
	return fmt.Sprintf(`store:
  postgres:
    app_dsn_file: app.dsn
    destroy_dsn_file: destroy.dsn
    audit_dsn_file: audit.dsn%s
keys:
  transit:
    address: %s
    anchors: {mount: secret}
    serving: {approle: {role_id_file: %s, secret_id_file: %s}}%s
`, owner, s.vault.Address, serving.RoleIDFile, serving.SecretIDFile, keys)
}

// embedded are the backends of the service on one machine, all below a folder.
func embedded(name string) string {
	return fmt.Sprintf(`anchors: data/%[1]s-anchors
store: {sqlite: {path: data/%[1]s/store/counterfoil.db}}
keys: {local: {file: data/%[1]s-keys/local.key}}
`, name)
}

// found makes keys and tenants, as an operator does.
func (s *Site) found(ctx context.Context, config string) error {
	if _, err := s.command(ctx, config, "keys", "init"); err != nil {
		return err
	}
	for _, tenant := range s.tenants {
		if _, err := s.command(ctx, config, "tenant", "create", "--tenant", tenant); err != nil {
			return err
		}
	}
	return nil
}

// Command runs a command of the service that takes a configuration, such as verify, as
// whoever prepares the site, and returns what it printed.
func (s *Site) Command(ctx context.Context, args ...string) (string, error) {
	return s.command(ctx, s.admin, args...)
}

func (s *Site) command(ctx context.Context, config string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, s.binary, append(args, "--config", config)...)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := run(cmd); err != nil {
		return out.String(), fmt.Errorf("system: %s: %w: %s", strings.Join(args, " "), err, errs.String())
	}
	return out.String(), nil
}
