package config

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
)

// Dev is the configuration of the development mode.
type Dev struct {
	Listen string // host:port on the loopback interface
	Data   string // folder for the database, the keys and the anchors
}

// DevListen is where the development mode listens unless told otherwise.
const DevListen = "127.0.0.1:8080"

// Validate refuses what the development mode must never do. It issues its own
// credentials and keeps its keys beside its data, so only the machine itself
// may reach it.
func (d Dev) Validate() error {
	if d.Data == "" {
		return errors.New("config: data: a folder is required")
	}
	if _, _, err := net.SplitHostPort(d.Listen); err != nil {
		return fmt.Errorf("config: listen: must be host:port: %w", err)
	}
	if !loopback(d.Listen) {
		return errors.New("config: listen: the development mode listens on loopback addresses only (127.0.0.1, ::1, localhost)")
	}
	return nil
}

// Layout says where the parts of an embedded service are in its folder.
type Layout struct{ Dir string }

// Database is the SQLite file.
func (l Layout) Database() string { return filepath.Join(l.Dir, "counterfoil.db") }

// KeyFile holds the wrapping keys. Who has it and the database has the values.
func (l Layout) KeyFile() string { return filepath.Join(l.Dir, "local.key") }

// Issuer is the folder of the development issuer's key.
func (l Layout) Issuer() string { return filepath.Join(l.Dir, "issuer") }

// Evidence is the folder of the bundles of evidence.
func (l Layout) Evidence() string { return filepath.Join(l.Dir, "evidence") }

// Anchors is the folder of the anchors: the memory of how far each log came.
func (l Layout) Anchors() string { return filepath.Join(l.Dir, "anchors") }

// LogKeys is the folder of the public keys of the logs, for auditors.
func (l Layout) LogKeys() string { return filepath.Join(l.Dir, "log-keys") }

// LogKey is the public key of one tenant's log.
func (l Layout) LogKey(tenant string) string { return filepath.Join(l.LogKeys(), tenant+".vkey") }
