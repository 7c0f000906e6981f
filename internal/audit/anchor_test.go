package audit_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/google/go-cmp/cmp"
)

func anchorFor(t testing.TB, size int64) audit.Anchor {
	t.Helper()
	root := audit.LeafHash([]byte("root"))
	return audit.Anchor{
		Tenant: "acme", Size: size, Root: root, Tombstones: audit.LeafHash([]byte("erased")), Time: at,
		Checkpoint: sign(t, newSigner(t, origin, 1), size, root),
	}
}

func TestAnchorRoundTrip(t *testing.T) {
	for _, size := range []int64{0, 1, 1 << 40} {
		a := anchorFor(t, size)
		b, err := a.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		back, err := audit.ParseAnchor(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(a, back); diff != "" {
			t.Error(diff)
		}
	}
}

func TestAnchorMarshalRefuses(t *testing.T) {
	for name, change := range map[string]func(*audit.Anchor){
		"no tenant":        func(a *audit.Anchor) { a.Tenant = "" },
		"tenant with line": func(a *audit.Anchor) { a.Tenant = "acme\nsize 3" },
		"other tenant":     func(a *audit.Anchor) { a.Tenant = "globex" },
		"other size":       func(a *audit.Anchor) { a.Size++ },
		"other root":       func(a *audit.Anchor) { a.Root[0] ^= 1 },
		"no time":          func(a *audit.Anchor) { a.Time = time.Time{} },
		"nanoseconds":      func(a *audit.Anchor) { a.Time = a.Time.Add(1) },
		"no checkpoint":    func(a *audit.Anchor) { a.Checkpoint = "" },
		"unsigned":         func(a *audit.Anchor) { a.Checkpoint, _, _ = strings.Cut(a.Checkpoint, "\n\n") },
	} {
		a := anchorFor(t, 7)
		change(&a)
		if _, err := a.Marshal(); !errors.Is(err, audit.ErrAnchor) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseAnchorTakesOneFormOnly(t *testing.T) {
	b, err := anchorFor(t, 7).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	good := string(b)
	replace := func(old, with string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("the anchor has no %q", old)
		}
		return strings.Replace(good, old, with, 1)
	}
	for name, bad := range map[string]string{
		"nothing":       "",
		"cut":           good[:80],
		"other version": replace("anchor 1", "anchor 2"),
		"renamed":       replace("\nsize ", "\nsizes "),
		"two spaces":    replace("\nsize ", "\nsize  "),
		"leading zero":  replace("\nsize 7", "\nsize 07"),
		"CRLF":          strings.ReplaceAll(good, "\n", "\r\n"),
		"decimals":      replace("05.678901Z", "05.6789Z"),
		"zone":          replace("05.678901Z", "05.678901+00:00"),
		"swapped":       replace("tombstones ", "root "),
		"short hash":    replace("\nroot ", "\nroot A"),
		"other size":    replace("\nsize 7", "\nsize 8"),
		"too long":      good + strings.Repeat("a", audit.MaxAnchor),
	} {
		if _, err := audit.ParseAnchor([]byte(bad)); !errors.Is(err, audit.ErrAnchor) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzAnchor(f *testing.F) {
	for _, size := range []int64{0, 1, 7, 1 << 40} {
		b, err := anchorFor(f, size).Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := audit.ParseAnchor(b)
		if err != nil {
			return
		}
		again, err := a.Marshal()
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("%q reads and writes back as %q, %v", b, again, err)
		}
	})
}
