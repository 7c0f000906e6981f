package vaulttest

import (
	"io/fs"
	"regexp"
	"sync"
	"testing/fstest"

	"github.com/counterfoil/counterfoil/authz"
)

// Alone is the shipped policy without what makes people wait for each other: no
// approvals, and no budgets. What is decided is otherwise the same.
var Alone = sync.OnceValue(func() fs.FS {
	bundle := fstest.MapFS{}
	err := fs.WalkDir(authz.FS, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(authz.FS, path)
		for _, edit := range edits[path] {
			if err == nil && !edit.pattern.Match(text) {
				panic("vaulttest: " + path + " has nothing to take out")
			}
			text = edit.pattern.ReplaceAll(text, []byte(edit.with))
		}
		bundle[path] = &fstest.MapFile{Data: text}
		return err
	})
	if err != nil {
		panic("vaulttest: the shipped policy: " + err.Error()) // it is in the program
	}
	return bundle
})

type edit struct {
	pattern *regexp.Regexp
	with    string
}

var edits = map[string][]edit{
	"reasons.yaml": {
		{regexp.MustCompile(`(?m)^    approvals: \{.*\}$`), "    approvals: {public: 0, internal: 0, confidential: 0, restricted: 0}"},
		{regexp.MustCompile(`(?m)^      - \{per: .*\}\n`), ""},
		{regexp.MustCompile(`(?m)^    budgets:$`), "    budgets: []"},
	},
	"operations.yaml": {
		{regexp.MustCompile(`(?m)^  erase: .*$`), "  erase: {approvals: 0, over: 0, restricted: false}"},
		{regexp.MustCompile(`(?m)^  policy_promotion: .*$`), "  policy_promotion: {approvals: 0}"},
	},
}
