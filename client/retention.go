package client

import (
	"context"
	"time"
)

// RetentionReport says what is kept for how long, and what is there.
type RetentionReport struct {
	At        time.Time       `json:"at"`
	Settings  []RetentionLine `json:"settings"`
	Inventory Inventory       `json:"inventory"`
	Records   struct {
		RequestsSeconds    int64  `json:"requests_seconds"` // after they were closed
		IdempotencySeconds int64  `json:"idempotency_seconds"`
		Suppressions       string `json:"suppressions"`
		Tombstones         string `json:"tombstones"`
		Log                string `json:"log"`
	} `json:"records"` // the service's own
	LastSweep *LastSweep `json:"last_sweep,omitempty"`
	RequestID string     `json:"request_id"`
}

// RetentionLine is a rule of retention. Empty fields do not select; of several
// that match the shortest counts.
type RetentionLine struct {
	Class       string `json:"class,omitempty"`
	Entity      string `json:"entity,omitempty"`
	Destination string `json:"destination,omitempty"`
	ScopeKind   string `json:"scope_kind,omitempty"`
	Seconds     int64  `json:"seconds"`
}

// LastSweep is the last one that destroyed something, and what.
type LastSweep struct {
	At     time.Time      `json:"at"`
	Counts map[string]int `json:"counts"`
}

// Inventory says how much the tenant has.
type Inventory struct {
	Mappings        []InventoryLine `json:"mappings"`
	Scopes          int             `json:"scopes"`
	Subjects        int             `json:"subjects"`
	DataKeys        int             `json:"data_keys"`
	Holds           int             `json:"holds"` // that stand
	Tombstones      int             `json:"tombstones"`
	Suppressions    int             `json:"suppressions"`
	IdempotencyKeys int             `json:"idempotency_keys"`
	RequestsOpen    int             `json:"requests_open"`
	RequestsClosed  int             `json:"requests_closed"`
	OldestClosedAt  *time.Time      `json:"oldest_closed_at,omitempty"`
	Erasures        int             `json:"erasures"`
	Deferred        int             `json:"erasures_deferred"`
}

// InventoryLine counts the values of one class in scopes of one kind.
type InventoryLine struct {
	Class      string     `json:"class"`
	ScopeKind  string     `json:"scope_kind"`
	Live       int        `json:"live"`
	Expired    int        `json:"expired"` // of them Held are kept by a hold
	Held       int        `json:"held"`
	Retired    int        `json:"retired"` // replaced by a newer token
	Erased     int        `json:"erased"`  // and not swept yet
	OldestAt   *time.Time `json:"oldest_at,omitempty"`
	LastEndsAt *time.Time `json:"last_ends_at,omitempty"`
}

// RetentionReport says what is kept for how long, what there is, and what the
// last sweep destroyed.
func (c *Client) RetentionReport(ctx context.Context) (*RetentionReport, error) {
	var report RetentionReport
	if err := c.get(ctx, "retention/report", &report); err != nil {
		return nil, err
	}
	return &report, nil
}
