package main

import (
	"fmt"

	"github.com/counterfoil/counterfoil/internal/assembly"
)

type keysCommands struct {
	Init keysInitCommand `cmd:"" help:"Make the key file of a new service."`
}

type keysInitCommand struct{ configFile }

// Help says what depends on the file.
func (keysInitCommand) Help() string {
	return "Whoever has this file and the database has every value; without it the values are gone, for good.\n" +
		"Back it up, in another place than the database. It is never made anew beside a database that exists."
}

// Run makes the key file and prints where it is.
func (c keysInitCommand) Run(s streams) error {
	cfg, err := loadConfig(c.Config)
	if err != nil {
		return err
	}
	if err := assembly.CreateKey(cfg.Files()); err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, "made", cfg.Files().KeyFile)
	return err
}
