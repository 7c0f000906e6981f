package config

import "path/filepath"

// Files says where the parts of a service are that are files.
type Files struct {
	Database string // the SQLite file; "" with another store
	KeyFile  string // the wrapping keys; who has it and the database has the values; "" with a key service
	Anchors  string // folder of the anchors: the memory of how far each log came
	LogKeys  string // folder of the public keys of the logs, for auditors
	Evidence string // folder of the bundles of evidence; what is lost with it can be asked for again
}

// LogKey is the public key of one tenant's log.
func (f Files) LogKey(tenant string) string { return filepath.Join(f.LogKeys, tenant+".vkey") }

// Files are the places of the development mode: all in its folder.
func (l Layout) Files() Files {
	return Files{Database: l.Database(), KeyFile: l.KeyFile(), Anchors: l.Anchors(), LogKeys: l.LogKeys(), Evidence: l.Evidence()}
}

// Files are the places that the configuration names.
func (s *Serve) Files() Files {
	files := Files{Anchors: s.Anchors, LogKeys: Layout{Dir: s.Data}.LogKeys(), Evidence: Layout{Dir: s.Data}.Evidence()}
	if s.Store.SQLite != nil {
		files.Database = s.Store.SQLite.Path
	}
	if s.Keys.Local != nil {
		files.KeyFile = s.Keys.Local.File
	}
	return files
}
