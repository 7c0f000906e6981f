package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// AuditQuery says which entries of the log are searched. All that is set must fit;
// empty fields do not select. A person, a scope and an end user are each named in
// one way.
type AuditQuery struct {
	// The caller's own names. Once an erasure has destroyed what links a name and
	// its reference, only the reference finds the entries.
	Subject, Scope, EndUser string
	// As entries name them.
	SubjectRef, ScopeRef, EndUserDigest string

	Actor, Client, Approver string
	Kind, Decision, Reason  string
	Reference, Entity       string
	Class, Destination      string
	PolicyVersion           string
	Token                   string // as it stands in a text, or its id
	RequestID               string
	Since, Until            *time.Time // [Since, Until)

	Descending bool   // the newest first
	Limit      int    // of a page, 100 where it is 0
	Cursor     string // of the page before
	Count      bool   // also count all that match
}

// AuditPage is a page of entries.
type AuditPage struct {
	Entries    []StoredEntry `json:"entries"`
	NextCursor string        `json:"next_cursor,omitempty"`
	Count      *int64        `json:"count,omitempty"` // where it was asked for
	RequestID  string        `json:"request_id"`
}

// StoredEntry is an entry and its place. That Entry has LeafHash was checked; that
// it is in the log is proven by AuditProof.
type StoredEntry struct {
	Index    int64           `json:"index"`
	LeafHash Hash            `json:"leaf_hash"`
	Entry    json.RawMessage `json:"entry,omitempty"` // the bytes that were hashed; empty where it was pruned
	Pruned   bool            `json:"pruned,omitempty"`
}

// check holds the entry against its hash.
func (e *StoredEntry) check() error {
	if e.Pruned != (len(e.Entry) == 0) || !e.Pruned && audit.LeafHash(e.Entry) != e.LeafHash {
		return badAnswer("an entry is not that of its hash")
	}
	return nil
}

type auditBody struct {
	Subject       string     `json:"subject,omitempty"`
	SubjectRef    string     `json:"subject_ref,omitempty"`
	Scope         string     `json:"scope,omitempty"`
	ScopeRef      string     `json:"scope_ref,omitempty"`
	EndUser       string     `json:"end_user,omitempty"`
	EndUserDigest string     `json:"end_user_digest,omitempty"`
	Actor         string     `json:"actor,omitempty"`
	Client        string     `json:"client,omitempty"`
	Approver      string     `json:"approver,omitempty"`
	Kind          string     `json:"kind,omitempty"`
	Decision      string     `json:"decision,omitempty"`
	Reason        string     `json:"reason,omitempty"`
	Reference     string     `json:"reference,omitempty"`
	Entity        string     `json:"entity,omitempty"`
	Class         string     `json:"class,omitempty"`
	Destination   string     `json:"destination,omitempty"`
	PolicyVersion string     `json:"policy_version,omitempty"`
	Token         string     `json:"token,omitempty"`
	RequestID     string     `json:"request_id,omitempty"`
	Since         *time.Time `json:"since,omitempty"`
	Until         *time.Time `json:"until,omitempty"`
	Order         string     `json:"order,omitempty"`
	Limit         int        `json:"limit,omitempty"`
	Cursor        string     `json:"cursor,omitempty"`
	Count         bool       `json:"count,omitempty"`
}

func (q *AuditQuery) body() plain {
	b := auditBody{
		q.Subject, q.SubjectRef, q.Scope, q.ScopeRef, q.EndUser, q.EndUserDigest, q.Actor, q.Client, q.Approver, q.Kind, q.Decision,
		q.Reason, q.Reference, q.Entity, q.Class, q.Destination, q.PolicyVersion, q.Token, q.RequestID,
		instant(q.Since), instant(q.Until), "", q.Limit, q.Cursor, q.Count,
	}
	if q.Descending {
		b.Order = "desc"
	}
	return plain{b, []string{
		q.Subject, q.SubjectRef, q.Scope, q.ScopeRef, q.EndUser, q.EndUserDigest, q.Actor, q.Client, q.Approver, q.Kind, q.Decision,
		q.Reason, q.Reference, q.Entity, q.Class, q.Destination, q.PolicyVersion, q.Token, q.RequestID, q.Cursor,
	}}
}

// AuditSearch reads the log, for callers who may. What is searched for stands in no
// address.
func (c *Client) AuditSearch(ctx context.Context, q AuditQuery) (*AuditPage, error) {
	var page AuditPage
	if _, err := c.post(ctx, "audit/search", q.body(), "", "", &page); err != nil {
		return nil, err
	}
	for i := range page.Entries {
		if err := page.Entries[i].check(); err != nil {
			return nil, err
		}
	}
	if q.Count != (page.Count != nil) {
		return nil, badAnswer("it counts what was not asked for, or does not count")
	}
	return &page, nil
}

// AuditEntry reads one entry.
func (c *Client) AuditEntry(ctx context.Context, index int64) (*StoredEntry, error) {
	var entry StoredEntry
	if err := c.get(ctx, "audit/entries/"+strconv.FormatInt(index, 10), &entry); err != nil {
		return nil, err
	}
	if entry.Index != index {
		return nil, badAnswer("it is of another entry")
	}
	return &entry, entry.check()
}

// AuditProof has an entry proven: in the log as it stands now, or, where size is not
// 0, in the log of so many entries, to hold it against a head of then. The receipt
// is checked as those of answers are.
func (c *Client) AuditProof(ctx context.Context, index, size int64) (*Receipt, error) {
	if err := c.trust(ctx); err != nil {
		return nil, err
	}
	query := url.Values{}
	if size != 0 {
		query.Set("size", strconv.FormatInt(size, 10))
	}
	receipt := new(Receipt)
	if err := c.list(ctx, "audit/entries/"+strconv.FormatInt(index, 10)+"/proof", query, receipt); err != nil {
		return nil, err
	}
	if receipt.Index != index || size != 0 && receipt.TreeSize != size {
		return nil, badAnswer("it proves something else than was asked")
	}
	if err := c.accept(ctx, receipt, 0); err != nil {
		return nil, err
	}
	return receipt, nil
}

// AuditTile fetches a tile of the log, or a bundle of its entries, by its path as
// C2SP tlog-tiles has it, such as tile/0/000.p/5.
func (c *Client) AuditTile(ctx context.Context, path string) ([]byte, error) {
	if _, err := audit.ParseTile(path); err != nil {
		return nil, refuse("path", "must be that of a tile, as C2SP tlog-tiles writes it")
	}
	return c.call(ctx, exchange{method: http.MethodGet, path: "audit/" + path, media: "application/octet-stream"})
}
