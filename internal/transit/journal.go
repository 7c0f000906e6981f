package transit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/vault/api"

	"github.com/counterfoil/counterfoil/internal/envelope"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// maxJournalDocument bounds what one document of a journal holds. The engine takes
// a megabyte, and stores it in base64 with the rest of the request.
const maxJournalDocument = 400 << 10

// Append adds lines to the journal of erasures of a tenant: a document for each
// 400 KB, under the number of its first line. A document is only ever made where
// there is none, so that of two replicas one is told ErrJournalMoved.
func (a *Anchors) Append(tenant string, after int, lines [][]byte) error {
	if after > 0 && len(lines) > 0 { // the one before must be there: a gap would hide what follows
		before, err := a.endsAt(tenant, after)
		if err != nil {
			return err
		}
		if !before {
			return vault.ErrJournalMoved
		}
	}
	for len(lines) > 0 {
		n, size := 0, 0
		for n < len(lines) && (n == 0 || size+len(lines[n])+1 <= maxJournalDocument) {
			size += len(lines[n]) + 1
			n++
		}
		if size > maxJournalDocument+1 {
			return fmt.Errorf("transit: journal of %s: a line is longer than %d bytes", tenant, maxJournalDocument)
		}
		text := string(bytes.Join(lines[:n], []byte{'\n'}))
		_, err := a.ask(func(ctx context.Context) (*api.Secret, error) {
			return a.client.Logical().WriteWithContext(ctx, a.journalPath(tenant, after), map[string]any{
				"options": map[string]any{"cas": 0}, "data": map[string]any{"journal": text},
			})
		})
		if errors.Is(err, errChanged) {
			return vault.ErrJournalMoved
		}
		if err != nil {
			return err
		}
		a.mu.Lock()
		a.ends[tenant] = after + n
		a.mu.Unlock()
		lines, after = lines[n:], after+n
	}
	return nil
}

// endsAt tells whether a document of the journal ends before the given line. What
// was read or written once is remembered: nobody can take it away.
func (a *Anchors) endsAt(tenant string, after int) (bool, error) {
	a.mu.Lock()
	known := a.ends[tenant]
	a.mu.Unlock()
	if known == after {
		return true, nil
	}
	lines, err := a.Journal(tenant, 0)
	return len(lines) == after, err
}

// Journal returns the lines of a tenant's journal from the given one on, which
// begins a document or is the end. One that is malformed or was deleted is an
// error: what it said must not count as never said.
func (a *Anchors) Journal(tenant string, from int) ([][]byte, error) {
	var lines [][]byte
	for next := from; ; {
		secret, err := a.ask(func(ctx context.Context) (*api.Secret, error) {
			return a.client.Logical().ReadWithContext(ctx, a.journalPath(tenant, next))
		})
		if err != nil {
			return nil, err
		}
		if secret == nil {
			a.mu.Lock()
			a.ends[tenant] = max(a.ends[tenant], next)
			a.mu.Unlock()
			return lines, nil
		}
		metadata, _ := secret.Data["metadata"].(map[string]any)
		if versionIn(metadata) < 1 {
			return nil, fmt.Errorf("%w: the engine of the anchors is no KV engine of version 2", envelope.ErrUnavailable)
		}
		data, _ := secret.Data["data"].(map[string]any)
		text, _ := data["journal"].(string)
		if text == "" || versionIn(metadata) != 1 {
			return nil, fmt.Errorf("transit: %w: a document of %s was deleted or replaced", vault.ErrJournal, tenant)
		}
		for line := range strings.SplitSeq(text, "\n") {
			lines = append(lines, []byte(line))
			next++
		}
	}
}

// journalPath is under that of the anchors, so that the same policy is enough.
func (a *Anchors) journalPath(tenant string, line int) string {
	return a.path(fmt.Sprintf("%s%s/%012d", journalFolder, KeyName("", tenant), line))
}

// journalFolder is where the journals are, in the folder of the anchors.
const journalFolder = "journal/"
