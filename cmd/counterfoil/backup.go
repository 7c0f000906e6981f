package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/counterfoil/counterfoil/internal/assembly"
)

type backupCommand struct {
	configFile
	To string `required:"" type:"path" placeholder:"FILE" help:"Where the copy goes. It must not be there yet."`
}

// Help says what else there is to keep.
func (backupCommand) Help() string {
	return "A copy of the SQLite database as it stands at one commit, while the service runs or not; for PostgreSQL see\n" +
		"deploy/README.md. It holds ciphertexts and wrapped keys. The key file (`counterfoil keys backup`), the anchors and\n" +
		"the public keys of the logs belong elsewhere, and no copy is to be kept for longer than finality.backup_horizon."
}

// Run copies, and prints where the copy is.
func (c backupCommand) Run(ctx context.Context, s streams) error {
	cfg, err := loadConfig(c.Config)
	if err != nil {
		return err
	}
	if cfg.Store.SQLite == nil {
		return errors.New("backup: the store is PostgreSQL, which has tools for it: see deploy/README.md")
	}
	if err := assembly.Backup(ctx, cfg.Files(), c.To); err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, "wrote", c.To)
	return err
}
