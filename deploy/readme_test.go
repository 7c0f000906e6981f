package deploy_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What the texts tell an operator to use is there.
func TestReadmesNameWhatIsThere(t *testing.T) {
	for _, text := range []struct{ file, named, root string }{
		{"README.md", "deploy/([A-Za-z0-9_./-]+)", "."},
		{"README.md", "`((?:config\\.|transit/|helm/|systemd/|image/|compose[./]|prometheus/|grafana/)[A-Za-z0-9_./-]*)`", "."},
		{"compose/README.md", "(compose/[a-z]+\\.sh)", "."},
		{"compose.yaml", "\\./((?:compose|transit)[a-z/.]*)", "."},
		{"compose.yaml", "\\.\\./([a-z/]+\\.sql)", ".."},
		{"helm/counterfoil/values.yaml", "deploy/([a-z./]+[a-z])", "."},
	} {
		found := regexp.MustCompile(text.named).FindAllStringSubmatch(read(t, text.file), -1)
		if len(found) == 0 {
			t.Errorf("%s names nothing like %s", text.file, text.named)
		}
		for _, match := range found {
			name := strings.TrimRight(match[1], "./")
			if strings.HasPrefix(name, "compose/trial") {
				continue // is made by prepare.sh
			}
			if _, err := os.Stat(filepath.Join(text.root, name)); err != nil {
				t.Errorf("%s names %s: %v", text.file, match[1], err)
			}
		}
	}
}
