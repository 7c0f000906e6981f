package localkey_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/localkey"
)

// backedUp is a key file, a backup of it, and the shares.
func backedUp(t *testing.T) (key, backup string, shares []string) {
	t.Helper()
	key = pathOf(newKey(t))
	backup = filepath.Join(t.TempDir(), "key.backup")
	shares, err := localkey.Backup(key, backup, 5, 3)
	if err != nil {
		t.Fatal(err)
	}
	return key, backup, shares
}

// TestBackupByShares: any three of five give the file back, byte for byte, in any
// order; what is there is never overwritten, and the backup is its owner's alone.
func TestBackupByShares(t *testing.T) {
	key, backup, shares := backedUp(t)
	if len(shares) != 5 {
		t.Fatalf("%d shares", len(shares))
	}
	for _, some := range [][]int{{0, 1, 2}, {4, 2, 0}, {3, 4, 1}, {0, 1, 2, 3, 4}} {
		var lines []string
		for _, n := range some {
			lines = append(lines, shares[n])
		}
		to := filepath.Join(t.TempDir(), "local.key")
		if err := localkey.Restore(backup, to, lines); err != nil {
			t.Fatalf("%v: %v", some, err)
		}
		if read(t, to) != read(t, key) {
			t.Errorf("%v: another key file", some)
		}
		if err := localkey.Restore(backup, to, lines); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%v: overwritten: %v", some, err)
		}
	}
	if _, err := localkey.Backup(key, backup, 5, 3); !errors.Is(err, fs.ErrExist) {
		t.Errorf("the backup is overwritten: %v", err)
	}
	if info, err := os.Stat(backup); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	for _, of := range [][2]int{{5, 1}, {5, 0}, {2, 3}, {17, 3}, {0, 0}} {
		if _, err := localkey.Backup(key, filepath.Join(t.TempDir(), "x"), of[0], of[1]); err == nil {
			t.Errorf("%d shares, of which %d are needed", of[0], of[1])
		}
	}
}

// TestBackupRefusesShares that are too few, of another backup, given twice,
// mistyped, or forged.
func TestBackupRefusesShares(t *testing.T) {
	_, backup, shares := backedUp(t)
	_, _, others := backedUp(t)
	mistyped := strings.Replace(shares[2], shares[2][60:61], string('0'+(shares[2][60]+1)%10), 1)
	for name, tt := range map[string]struct {
		shares []string
		want   error
	}{
		"none": {nil, localkey.ErrShare}, "two": {shares[:2], localkey.ErrShare},
		"one of another": {[]string{shares[0], shares[1], others[2]}, localkey.ErrShare},
		"one twice":      {[]string{shares[0], shares[1], shares[1]}, localkey.ErrShare},
		"mistyped":       {[]string{shares[0], shares[1], mistyped}, localkey.ErrShare},
		"cut":            {[]string{shares[0], shares[1], shares[2][:40]}, localkey.ErrShare},
		"in capitals":    {[]string{shares[0], shares[1], strings.ToUpper(shares[2])}, localkey.ErrShare},
		"forged":         {[]string{shares[0], shares[1], localkey.Forge(shares[2])}, localkey.ErrBackup},
	} {
		to := filepath.Join(t.TempDir(), "local.key")
		err := localkey.Restore(backup, to, tt.shares)
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(to); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: there is a key file", name)
		}
		for _, s := range shares {
			if err != nil && strings.Contains(err.Error(), strings.Fields(s)[3]) {
				t.Errorf("%s: the error holds a share", name)
			}
		}
	}
}

// TestBackupRefusesWhatWasAltered: every bit of the file counts.
func TestBackupRefusesWhatWasAltered(t *testing.T) {
	_, backup, shares := backedUp(t)
	text := read(t, backup)
	altered := map[string]string{
		"empty": "", "cut": text[:len(text)/2], "longer": text + "\n",
		"a lower threshold": strings.Replace(text, `"threshold": 3`, `"threshold": 2`, 1),
		"more shares":       strings.Replace(text, `"shares": 5`, `"shares": 6`, 1),
	}
	start := strings.Index(text, `"sealed": "`) + len(`"sealed": "`)
	for at := start; at < len(text)-5; at += 97 {
		b := []byte(text)
		if b[at] == 'A' {
			b[at] = 'B'
		} else {
			b[at] = 'A'
		}
		altered["sealed at "+string(rune('a'+len(altered)))] = string(b)
	}
	for name, text := range altered {
		file, to := filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "local.key")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := localkey.Restore(file, to, shares); !errors.Is(err, localkey.ErrBackup) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTwinFewerSharesWithoutTheCount: the count is no guard. Where it is taken out
// fewer shares give another key, which opens nothing.
func TestTwinFewerSharesWithoutTheCount(t *testing.T) {
	_, backup, shares := backedUp(t)
	key, err := localkey.JoinAny(backup, 3, shares[:3])
	if err != nil {
		t.Fatal(err)
	}
	fewer, err := localkey.JoinAny(backup, 2, shares[:2])
	if err != nil {
		t.Fatal(err)
	}
	if slices.Equal(key, fewer) {
		t.Error("two shares give the recovery key")
	}
}
