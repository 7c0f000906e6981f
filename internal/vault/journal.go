package vault

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// This file is the journal of erasures: what has to be done again when an older
// copy of the data is put back, kept outside the database, beside the anchors. It
// holds ids of keys and tokens, the rows of erasures, and no value or name; of a
// person the digest of the caller's name, as long as a part is deferred.
//
// An erasure is journaled after its commit and before an anchor speaks for it.
// Where values of others are sealed anew, that is journaled before the commit,
// and again after it: an older copy has them under the key that they had then,
// and a later erasure names only the key that they had at last. A move that is
// journaled and not confirmed may have happened or not; a recovery then takes what
// leads to less that opens.

var (
	// ErrJournal says that a line is not what this package writes.
	ErrJournal = errors.New("vault: the journal of erasures is malformed")
	// ErrJournalMoved says that somebody wrote to the journal since.
	ErrJournalMoved = errors.New("vault: the journal of erasures has more lines than were known")
)

// maxJournalItems bounds what one line lists, so that a line stays below 400 KB:
// an item takes less than 200 bytes.
const maxJournalItems = 2000

// JournalLine is a line of a tenant's journal. Exactly one of its parts is set.
type JournalLine struct {
	Erased *JournalErasure `json:"erased,omitempty"`
	Moving *JournalMove    `json:"moving,omitempty"`
	Moved  string          `json:"moved,omitempty"` // the id of a move that was committed
	// Recovering says that an older copy of the data began to take over.
	Recovering *JournalRecovery `json:"recovering,omitempty"`
}

// JournalRecovery is the head that an anchor names and that is lost, and the head
// of the copy that takes over.
type JournalRecovery struct {
	Size     int64      `json:"size"`
	Root     audit.Hash `json:"root"`
	From     int64      `json:"from"`
	FromRoot audit.Hash `json:"from_root"`
}

// JournalErasure is an erasure as it stood, and keys that it destroyed. Where it
// destroyed many, or went on, it has several lines.
type JournalErasure struct {
	ID            string             `json:"id"`
	Subject       string             `json:"subject,omitempty"` // hexadecimal
	SubjectRef    string             `json:"subject_ref,omitempty"`
	Reference     string             `json:"reference"`
	Regime        string             `json:"regime"`
	Identity      journalIdentity    `json:"identity"`
	State         ErasureState       `json:"state"`
	ErasedAt      time.Time          `json:"erased_at"`
	CompletedAt   time.Time          `json:"completed_at,omitzero"`
	SuppressUntil time.Time          `json:"suppress_until,omitzero"`
	FinalAt       time.Time          `json:"final_at,omitzero"`
	Destinations  []journalUse       `json:"destinations,omitempty"`
	Counts        ErasureCounts      `json:"counts"`
	Buried        []JournalTombstone `json:"buried,omitempty"`
}

type journalIdentity struct {
	Method     string    `json:"method,omitempty"`
	Reference  string    `json:"reference,omitempty"`
	VerifiedBy string    `json:"verified_by,omitempty"`
	At         time.Time `json:"at,omitzero"`
}

type journalUse struct {
	Destination string    `json:"destination"`
	Mappings    int       `json:"mappings"`
	First       time.Time `json:"first"`
	Last        time.Time `json:"last"`
}

// JournalTombstone is a key that an erasure destroyed. Tokens are those that went
// with it, as far as they are known: see Tombstone.
type JournalTombstone struct {
	KeyID       string      `json:"key_id"`
	At          time.Time   `json:"at"`
	WrapVersion int         `json:"wrap_version"`
	Rekeyed     bool        `json:"rekeyed,omitempty"`
	Swept       bool        `json:"swept,omitempty"`
	Tokens      [][2]string `json:"tokens,omitempty"` // scope and token
}

// JournalMove says that values are sealed anew in a commit.
type JournalMove struct {
	Change string `json:"change"`
	// Replayed says that a recovery did it: in the history that was lost the values
	// stayed where they were.
	Replayed bool          `json:"replayed,omitempty"`
	Tokens   []JournalStep `json:"tokens"`
}

// JournalStep is where one value goes.
type JournalStep struct {
	Scope string `json:"scope"`
	Token string `json:"token"`
	From  string `json:"from"`
	To    string `json:"to"`
}

// Marshal is the one text form, without a line break.
func (l JournalLine) Marshal() []byte {
	b, err := json.Marshal(l)
	if err != nil {
		panic("vault: a line of the journal cannot be written: " + err.Error())
	}
	return b
}

// ParseJournalLine reads what Marshal writes, and nothing else.
func ParseJournalLine(b []byte) (JournalLine, error) {
	var l JournalLine
	if err := json.Unmarshal(b, &l); err != nil {
		return JournalLine{}, ErrJournal
	}
	parts := 0
	for _, is := range []bool{l.Erased != nil, l.Moving != nil, l.Moved != "", l.Recovering != nil} {
		if is {
			parts++
		}
	}
	if parts != 1 || !bytes.Equal(l.Marshal(), b) {
		return JournalLine{}, ErrJournal
	}
	if e := l.Erased; e != nil && (e.ID == "" || len(e.Subject) != 0 && len(e.Subject) != 2*len(Digest{})) {
		return JournalLine{}, ErrJournal
	}
	return l, nil
}

// journalErasure is the row of an erasure, without its keys.
func journalErasure(e Erasure) JournalErasure {
	j := JournalErasure{
		ID: e.ID, SubjectRef: e.SubjectRef, Reference: e.Reference, Regime: e.Regime, Identity: journalIdentity(e.Identity), State: e.State,
		ErasedAt: e.ErasedAt, CompletedAt: e.CompletedAt, SuppressUntil: e.SuppressUntil, FinalAt: e.FinalAt, Counts: e.Counts,
	}
	if e.Subject != (Digest{}) {
		j.Subject = hexDigest(e.Subject)
	}
	for _, use := range e.Destinations {
		j.Destinations = append(j.Destinations, journalUse(use))
	}
	return j
}

// row is the erasure again.
func (j *JournalErasure) row() (Erasure, error) {
	e := Erasure{
		ID: j.ID, SubjectRef: j.SubjectRef, Reference: j.Reference, Regime: j.Regime, Identity: IdentityCheck(j.Identity), State: j.State,
		ErasedAt: j.ErasedAt, CompletedAt: j.CompletedAt, SuppressUntil: j.SuppressUntil, FinalAt: j.FinalAt, Counts: j.Counts,
	}
	if _, err := hex.Decode(e.Subject[:], []byte(j.Subject)); err != nil {
		return Erasure{}, ErrJournal
	}
	for _, use := range j.Destinations {
		e.Destinations = append(e.Destinations, DestinationUse(use))
	}
	return e, nil
}

// erasureLines are the lines of an erasure and keys of it.
func erasureLines(e Erasure, buried []Tombstone) (lines []JournalLine) {
	line, room := journalErasure(e), maxJournalItems
	next := func() {
		whole := line
		lines = append(lines, JournalLine{Erased: &whole})
		line.Buried, room = nil, maxJournalItems
	}
	for _, z := range buried {
		part := JournalTombstone{KeyID: z.KeyID, At: z.At, WrapVersion: z.WrapVersion, Rekeyed: z.Rekeyed, Swept: z.Swept}
		for _, ref := range z.Tokens {
			if room == 0 { // the rest of the tokens of this key are in the next line
				line.Buried = append(line.Buried, part)
				part.Tokens = nil
				next()
			}
			part.Tokens = append(part.Tokens, [2]string{ref.ScopeID, ref.TokenID})
			room--
		}
		line.Buried = append(line.Buried, part)
		if room--; room <= 0 {
			next()
		}
	}
	if len(line.Buried) > 0 || len(lines) == 0 {
		next()
	}
	return lines
}

// MovesOf are the lines that say what a change is about to seal anew, none where
// it does not, and the line that confirms it.
func MovesOf(c Change) (lines []JournalLine, confirm JournalLine) {
	var moves []Resealed
	replayed := false
	switch e := c.Effect().(type) {
	case Erase:
		moves = e.Reseal
	case Move:
		moves = e.Reseal
	case Replay:
		moves, replayed = e.Reseal, true
	}
	for len(moves) > 0 {
		n := min(len(moves), maxJournalItems)
		steps := make([]JournalStep, n)
		for i, m := range moves[:n] {
			steps[i] = JournalStep{Scope: m.ScopeID, Token: m.TokenID, From: m.From, To: m.To}
		}
		lines = append(lines, JournalLine{Moving: &JournalMove{Change: c.ID(), Replayed: replayed, Tokens: steps}})
		moves = moves[n:]
	}
	return lines, JournalLine{Moved: c.ID()}
}

// JournalHash is the digest of a journal with one line more; that of an empty one
// is zero. An anchor holds it.
func JournalHash(before audit.Hash, line []byte) audit.Hash {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "counterfoil/journal/1\n%s", before[:]) // a hash never fails
	_, _ = h.Write(line)
	return audit.Hash(h.Sum(nil))
}
