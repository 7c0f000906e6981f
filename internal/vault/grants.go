package vault

import (
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/stream"
)

const (
	// GrantLife is how long a grant stands unless its request says less: longer
	// than the longest answer that a model streams.
	GrantLife = 15 * time.Minute
	// MaxGrantLife is until when a grant can be renewed, from its beginning: the
	// longest turn of an agent that nobody looks at in between.
	MaxGrantLife = 2 * time.Hour
	// MaxGrantTokens bounds the tokens that a grant names, and so covers by its own
	// entry: more than a prompt has, and its entry stays one.
	MaxGrantTokens = 200
	// DefaultGrantBudget is how many different tokens a grant restores where its
	// request does not say; MaxFindings is the most.
	DefaultGrantBudget = 1000
	// GrantKept is how long a grant that is closed is shown: as long as a request that
	// gave it out may be repeated. What it was is in the log.
	GrantKept = ClaimLife
	// PageGrants bounds a page of grants, and how many are closed at a time.
	PageGrants = 100
	// FlushTimeout bounds what a flush of a stream waits for the store and the key
	// service. After it the tokens stay tokens.
	FlushTimeout = 2 * time.Second
)

// GrantWish is a grant that a Tokenize asks for: its scopes are those of the
// request, and it names the tokens of the answer.
type GrantWish struct {
	Reason    ReasonGiven
	Recipient string
	TTL       time.Duration // 0 means GrantLife
	Budget    int           // 0 means DefaultGrantBudget
	Renewable bool
}

// GrantRequest asks for a grant.
type GrantRequest struct {
	GrantWish
	Scope      string
	ReadScopes []string
	// Tokens are those that it names, as a text has them; without any it names what
	// lives in its scopes, if that is not more than it may name.
	Tokens []string
}

// GrantStatus says how a grant stands, as far as the process can tell.
type GrantStatus string

// How a grant stands.
const (
	GrantOpen    GrantStatus = "open"
	GrantExpired GrantStatus = "expired" // its closing entry is to come
	GrantClosed  GrantStatus = "closed"
)

// GrantInfo describes a grant.
type GrantInfo struct {
	ID                string
	Status            GrantStatus
	Actor, Client     string
	Reason, Reference string
	Recipient         string
	ScopeRefs         []string
	Tokens            int // that it names
	Budget            int
	Renewable         bool
	PolicyVersion     string
	OpenedAt          time.Time
	ExpiresAt         time.Time
	RenewableUntil    time.Time // zero where it is not
	ClosedAt          time.Time
}

// GrantResult answers what opens or changes a grant.
type GrantResult struct {
	Grant GrantInfo
	// Results say what became of each of the tokens that the request named.
	Results []TokenResult
	Audit   *audit.Receipt
}

// GrantPage is a page of them, the newest first.
type GrantPage struct {
	Grants []GrantInfo
	Next   string
}

// limitsOfGrants are those of what streams go by.
func limitsOfGrants() []Limit {
	seconds := func(d time.Duration) int64 { return int64(d / time.Second) }
	return []Limit{
		{"grant_seconds", "seconds", "a grant stands at a time", seconds(GrantLife)},
		{"grant_renewed_seconds", "seconds", "a grant that is renewed stands in all", seconds(MaxGrantLife)},
		{"grant_kept_seconds", "seconds", "a grant is shown after it was closed", seconds(GrantKept)},
		{"grant_tokens", "count", "tokens that a grant names and its entry covers", MaxGrantTokens},
		{"grant_budget", "count", "different tokens that a grant restores, unless its request says otherwise", DefaultGrantBudget},
		{"stream_frame_bytes", "bytes", "one frame of a stream; what is longer passes as it is", stream.MaxFrame},
		{"stream_channels", "count", "texts of a stream that are open at a time", stream.MaxChannels},
		{"stream_held_bytes", "bytes", "what one text of a stream holds back, as it is spelled", stream.MaxHeld},
		{"grant_page", "count", "grants of one page", PageGrants},
		{"flush_seconds", "seconds", "a flush of a stream waits for the store and the keys", seconds(FlushTimeout)},
	}
}
