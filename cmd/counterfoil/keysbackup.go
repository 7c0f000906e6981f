package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/counterfoil/counterfoil/internal/localkey"
)

type keysBackupCommand struct {
	configFile
	To        string `required:"" type:"path" placeholder:"FILE" help:"Where the sealed backup goes. It must not be there yet."`
	Shares    int    `default:"5" help:"Into how many shares the recovery key is split."`
	Threshold int    `default:"3" help:"How many of them open the backup."`
}

// Help says where what goes.
func (keysBackupCommand) Help() string {
	return "The backup is sealed under a recovery key that is kept nowhere. Its shares are printed once, one in a line: give\n" +
		"each to another person, and never keep enough of them in one place. A backup is a copy of the key file: it brings\n" +
		"back versions that `keys trim` destroyed since. Do not keep it for longer than finality.key_backup_retention."
}

// Run prints the shares, and nothing else.
func (c keysBackupCommand) Run(s streams) error {
	cfg, err := loadConfig(c.Config)
	if err != nil {
		return err
	}
	if cfg.Keys.Local == nil {
		return errors.New("keys backup: the keys are those of a key service, which has backups of its own")
	}
	shares, err := localkey.Backup(cfg.Keys.Local.File, c.To, c.Shares, c.Threshold)
	if err != nil {
		return err
	}
	for _, share := range shares {
		if _, err := fmt.Fprintln(s.out, share); err != nil {
			return errors.Join(err, os.Remove(c.To)) // shares that nobody has open nothing
		}
	}
	return nil
}

type keysRestoreCommand struct {
	From string `required:"" type:"path" placeholder:"FILE" help:"The backup."`
	To   string `required:"" type:"path" placeholder:"KEYFILE" help:"Where the key file goes. It must not be there yet."`
}

// Help says where the shares come from.
func (keysRestoreCommand) Help() string {
	return "The shares are read from the standard input, one in a line, as many as the backup asks for."
}

// Run reads the shares and prints where the key file is.
func (c keysRestoreCommand) Run(s streams) error { return c.restore(os.Stdin, s.out) }

func (c keysRestoreCommand) restore(in io.Reader, out io.Writer) error {
	var shares []string
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		if line := strings.TrimSpace(lines.Text()); line != "" {
			shares = append(shares, line)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("keys restore: the shares cannot be read: %w", err)
	}
	if err := localkey.Restore(c.From, c.To, shares); err != nil {
		return err
	}
	_, err := fmt.Fprintln(out, "made", c.To)
	return err
}
