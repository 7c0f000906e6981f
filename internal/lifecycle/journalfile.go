package lifecycle

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// journalSuffix ends the name of a journal file; the tenant begins it.
const journalSuffix = ".journal"

// Append adds lines to the journal of a tenant, which has so many already, and
// syncs it. A last line that was cut off by a crash was never acknowledged, and
// goes. Replicas that share the folder take turns by a lock on the file.
func (a *Anchors) Append(tenant string, after int, lines [][]byte) (err error) {
	name := filepath.Join(a.dir, tenant+journalSuffix)
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("lifecycle: journal of %s: %w", tenant, err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil { // until it is closed
		return fmt.Errorf("lifecycle: journal of %s: %w", tenant, err)
	}
	whole, err := io.ReadAll(file)
	if err != nil {
		return fmt.Errorf("lifecycle: journal of %s: %w", tenant, err)
	}
	whole = whole[:bytes.LastIndexByte(whole, '\n')+1]
	if bytes.Count(whole, []byte{'\n'}) != after {
		return vault.ErrJournalMoved
	}
	body := append(bytes.Join(lines, []byte{'\n'}), '\n')
	_, err = file.WriteAt(body, int64(len(whole)))
	if err == nil {
		err = errors.Join(file.Truncate(int64(len(whole)+len(body))), file.Sync(), syncDir(a.dir))
	}
	if err != nil {
		return fmt.Errorf("lifecycle: journal of %s: %w", tenant, err)
	}
	return nil
}

// Journal returns the lines of a tenant's journal from the given one on.
func (a *Anchors) Journal(tenant string, from int) ([][]byte, error) {
	whole, err := os.ReadFile(filepath.Join(a.dir, tenant+journalSuffix))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("lifecycle: journal of %s: %w", tenant, err)
	}
	lines := bytes.Split(whole, []byte{'\n'})
	lines = lines[:len(lines)-1] // what follows the last line break was cut off by a crash
	if from > len(lines) {
		return nil, fmt.Errorf("lifecycle: %w: that of %s lost lines", vault.ErrJournal, tenant)
	}
	return lines[from:], nil
}
