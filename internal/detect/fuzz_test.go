package detect_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/detect"
)

// seeds are texts from which fuzzing starts: one of every kind that a recogniser looks at, and broken ones.
func seeds() []string {
	out := []string{
		letter, canary, "", "\x00", "\xff\xfe@\x80.com", "@", "::", "+", "(", "-----BEGIN PRIVATE KEY-----\n" + pemBody,
		"\uff14\uff11\uff15-555-0132 x9", "2001:db8::1%\u00e9", "1\u200b.2.3.4", "DE89\u00a03704 0044 0532 0130 00",
	}
	for _, v := range plainValues {
		for _, disguise := range disguises {
			out = append(out, v.before+disguise(v.value))
		}
	}
	for _, unit := range hostile {
		out = append(out, unit+unit)
	}
	return out
}

// eager reports also what is below the usual thresholds, so that every rule's offsets are checked.
func eager(tb testing.TB) *detect.Detector {
	opts := detect.Everything()
	for e := range opts.Thresholds {
		opts.Thresholds[e] = 0.01
	}
	return newDetector(tb, opts)
}

// broken says which promise of the package comment a call breaks; nil if none.
func broken(d *detect.Detector, text string, reserved [][2]int) error {
	spans, err := d.FindReserved(context.Background(), text, reserved)
	if err != nil {
		return err
	}
	for i, s := range spans {
		if s.Start < 0 || s.Start >= s.End || s.End > len(text) || i > 0 && spans[i-1].End > s.Start {
			return fmt.Errorf("%v out of order or outside", spans)
		}
		if !detect.OnBoundary(text, s.Start) || !detect.OnBoundary(text, s.End) {
			return fmt.Errorf("%v cuts a character", s)
		}
		for _, r := range reserved {
			if s.Start < r[1] && r[0] < s.End {
				return fmt.Errorf("%v overlaps %v", s, r)
			}
		}
		value := text[s.Start:s.End]
		_, _ = detect.Normalise(detect.Fold, value), detect.Partial(s.Entity, value)
	}
	again, err := d.FindReserved(context.Background(), text, reserved)
	if err != nil || !slices.Equal(spans, again) {
		return fmt.Errorf("%v, then %v, %w", spans, again, err)
	}
	return nil
}

// FuzzFind checks the promises on any bytes and any reserved range.
func FuzzFind(f *testing.F) {
	all := seeds()
	if len(all) < 20 {
		f.Fatal("no seeds to start from")
	}
	for i, s := range all {
		f.Add(s, i%5, i%11)
	}
	d := eager(f)
	f.Fuzz(func(t *testing.T, text string, from, length int) {
		var reserved [][2]int
		if from >= 0 && length > 0 && length <= len(text) && from <= len(text)-length &&
			detect.OnBoundary(text, from) && detect.OnBoundary(text, from+length) {
			reserved = [][2]int{{from, from + length}}
		}
		if err := broken(d, text, reserved); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
	})
}

// TestFindProperties puts pieces of texts together in any order, with reserved pieces between.
func TestFindProperties(t *testing.T) {
	pieces := seeds()
	d := eager(t)
	rapid.Check(t, func(r *rapid.T) {
		var text strings.Builder
		var reserved [][2]int
		for _, piece := range rapid.SliceOfN(rapid.SampledFrom(pieces), 1, 8).Draw(r, "pieces") {
			from := text.Len()
			text.WriteString(strings.ToValidUTF8(piece, "\ufffd"))
			if from < text.Len() && rapid.IntRange(0, 3).Draw(r, "reserve") == 0 {
				reserved = append(reserved, [2]int{from, text.Len()})
			}
		}
		if err := broken(d, text.String(), reserved); err != nil {
			r.Fatalf("%q, reserved %v: %v", text.String(), reserved, err)
		}
	})
}
