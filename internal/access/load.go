package access

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// ErrBundle is wrapped by every error of Load: the bundle is not taken.
var ErrBundle = errors.New("access: the policy bundle is refused")

// The files of a bundle, in the order of their names.
const (
	fileDestinations = "destinations.yaml"
	fileEntities     = "entities.yaml"
	fileModel        = "model.conf"
	fileOperations   = "operations.yaml"
	fileOverlays     = "overlays.yaml"
	filePolicy       = "policy.csv"
	fileReasons      = "reasons.yaml"
	fileRetention    = "retention.yaml"
	fileSeparation   = "separation.yaml"
	fileControls     = "controls.yaml" // stands beside a bundle, and is no part of it
	dirDecisions     = "decisions"
)

// bundleFiles make the version. The decision tables do not: they test what is
// decided and do not change it.
var bundleFiles = []string{
	fileDestinations, fileEntities, fileModel, fileOperations, fileOverlays, filePolicy, fileReasons, fileRetention,
	fileSeparation,
}

const (
	// fileVersion of every file but reasons.yaml is its format.
	fileVersion = 1
	// maxFileBytes is a hundred times what is shipped, and keeps a bundle that
	// is not one from filling the memory.
	maxFileBytes = 1 << 20
	// maxRules, maxReasons, maxEntities, maxDestinations and maxTables are far
	// more than people can review.
	maxRules        = 2_000
	maxReasons      = 200
	maxEntities     = 500
	maxDestinations = 500
	maxTables       = 500
)

// Load reads a bundle and checks every name in it. Whether the rules decide
// what the decision tables say is for Check; the tables are read here too.
func Load(fsys fs.FS) (*Policy, error) {
	p, err := load(fsys)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBundle, err)
	}
	return p, nil
}

func load(fsys fs.FS) (*Policy, error) {
	files, err := readBundle(fsys)
	if err != nil {
		return nil, err
	}
	p := &Policy{version: digest(files)}
	if err := p.readData(files); err != nil {
		return nil, err
	}
	rules, err := parseRules(string(files[filePolicy]), vocabulary{p.reasons, p.entities})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filePolicy, err)
	}
	newModel, err := parseModel(string(files[fileModel]))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", fileModel, err)
	}
	if p.engine, err = newEngine(newModel, rules); err != nil {
		return nil, fmt.Errorf("%s: %w", fileModel, err)
	}
	if p.tables, err = p.readTables(fsys); err != nil {
		return nil, err
	}
	if p.texts, err = p.readTexts(fsys); err != nil {
		return nil, err
	}
	return p, nil
}

// readData reads the YAML files, each after those whose names it uses.
func (p *Policy) readData(files map[string][]byte) error {
	var (
		entities     entitiesFile
		reasons      reasonsFile
		overlays     overlaysFile
		destinations destinationsFile
		retention    retentionFile
		separation   separationFile
		operations   operationsFile
	)
	for _, step := range []struct {
		file  string
		into  any
		check func() error
	}{
		{fileEntities, &entities, func() (err error) { p.entities, err = entities.check(); return err }},
		{fileReasons, &reasons, func() (err error) {
			p.catalogue = reasons.Version
			p.reasons, err = reasons.check(p.entities)
			return err
		}},
		{fileOverlays, &overlays, func() (err error) { p.overlays, err = overlays.check(p.reasons, p.entities); return err }},
		{fileDestinations, &destinations, func() (err error) { p.destinations, err = destinations.check(p.entities); return err }},
		{fileRetention, &retention, func() (err error) {
			p.retention, err = retention.check(p.entities, p.destinations, entities.RetentionDays)
			return err
		}},
		{fileSeparation, &separation, func() (err error) { p.separations, err = separation.check(); return err }},
		{fileOperations, &operations, func() (err error) { p.operations, err = operations.check(); return err }},
	} {
		if err := decodeYAML(files[step.file], step.into); err != nil {
			return fmt.Errorf("%s: %w", step.file, err)
		}
		if err := step.check(); err != nil {
			return fmt.Errorf("%s: %w", step.file, err)
		}
	}
	p.settle()
	return nil
}

// settle works out once what every request would otherwise work out anew.
func (p *Policy) settle() {
	p.listed = slices.SortedFunc(maps.Values(p.entities), func(a, b Entity) int { return strings.Compare(a.Name, b.Name) })
	for _, r := range p.reasons {
		r.obligations = r.Obligations()
	}
	for _, overlay := range p.overlays {
		for _, r := range overlay {
			if r != nil { // turned off
				r.obligations = r.Obligations()
			}
		}
	}
}

// readBundle reads the files that decide. A data file of another name is
// refused: it would be one that somebody believes to be in force.
func readBundle(fsys fs.FS) (map[string][]byte, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		data := slices.Contains([]string{".yaml", ".yml", ".csv", ".conf"}, path.Ext(entry.Name())) && entry.Name() != fileControls
		if data && entry.Name() != fileChange && !slices.Contains(bundleFiles, entry.Name()) {
			return nil, fmt.Errorf("%s is not a file of a bundle", entry.Name())
		}
	}
	files := make(map[string][]byte, len(bundleFiles))
	for _, name := range bundleFiles {
		if files[name], err = readFile(fsys, name); err != nil {
			return nil, err
		}
	}
	return files, nil
}

func readFile(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // read only: nothing can be lost
	text, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(text) > maxFileBytes {
		return nil, fmt.Errorf("%s is larger than %d bytes", name, maxFileBytes)
	}
	return text, nil
}

// decodeYAML refuses unknown and repeated keys and a second document.
func decodeYAML(text []byte, into any) error {
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		return err
	}
	var more yaml.Node
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		return errors.New("one document is wanted")
	}
	return nil
}
