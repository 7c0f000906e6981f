package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Files are readable by all, as anything in a repository is; nothing in a report is
// secret.
const (
	fileMode = 0o644
	dirMode  = 0o755
)

// Write writes name.md and name.json into a folder, and the PNG of every curve beside
// them. A curve that cannot be drawn costs its picture, not the report.
func (r *Report) Write(dir, name string) error {
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	asJSON, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	base := filepath.Join(dir, name)
	failed := errors.Join(
		os.WriteFile(base+".md", []byte(r.Markdown()), fileMode),
		os.WriteFile(base+".json", append(asJSON, '\n'), fileMode))
	for _, c := range r.Curves {
		picture, err := c.draw(width, height)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, c.file()), picture, fileMode)
		}
		failed = errors.Join(failed, err)
	}
	if failed != nil {
		return fmt.Errorf("report: %w", failed)
	}
	return nil
}

// file is where a curve is drawn, beside the report.
func (c Curve) file() string { return filepath.Base(c.Name) + ".png" }
