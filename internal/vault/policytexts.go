package vault

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/detect"
)

// TextFailure is a text of a policy bundle that does not come out as it says. It
// names places and counts and never quotes the text.
type TextFailure struct {
	File      string
	Line      int
	Got, Want string // "EMAIL_ADDRESS tokenize 1, ..."
}

func (f TextFailure) String() string {
	return fmt.Sprintf("%s:%d: %s, and not %s", f.File, f.Line, f.Got, f.Want)
}

// CheckTexts runs the texts of a bundle through detection and says which do not
// come out as they say. A text without a time is sent now.
func CheckTexts(ctx context.Context, policy *access.Policy, detector *detect.Detector) ([]TextFailure, error) {
	var failures []TextFailure
	for _, c := range policy.Texts() {
		at := c.At
		if at.IsZero() {
			at = time.Now()
		}
		var names []string
		if c.Destination != "" {
			names = []string{c.Destination}
		}
		route, err := policy.Route(names, at)
		if err != nil {
			return nil, fmt.Errorf("vault: %s:%d: %w", c.File, c.Line, err)
		}
		spans, err := detector.Find(ctx, c.Text)
		if err != nil {
			return nil, fmt.Errorf("vault: %s:%d: %w", c.File, c.Line, err)
		}
		got := make(map[string]int)
		for _, span := range spans {
			entity, known := policy.Entity(span.Entity)
			if !known {
				return nil, fmt.Errorf("vault: %s:%d: an entity of the detector is not in the catalogue", c.File, c.Line)
			}
			got[entity.Name+" "+string(route.Action(entity))]++
		}
		want := make(map[string]int)
		for _, e := range c.Expect {
			want[e.Entity+" "+string(e.Action)] += e.Count
		}
		if !maps.Equal(got, want) {
			failures = append(failures, TextFailure{File: c.File, Line: c.Line, Got: outcomes(got), Want: outcomes(want)})
		}
	}
	return failures, nil
}

func outcomes(counts map[string]int) string {
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %d", what, counts[what]))
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}
