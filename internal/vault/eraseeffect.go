package vault

// Erase destroys what goes with a subject, see Erasures. Everything is judged
// by what stands after the lock, and anything else than what was planned is
// ErrConflict:
//
//   - The subject's row stands as it was read, where the erasure begins; or
//     SubjectRef is empty and there is none of that digest, and then nothing is
//     destroyed. One that goes on may find the row gone.
//   - Keys stand. They are all under which anything is sealed that goes, and those
//     of the subject but Fresh and those under which nothing goes and something
//     stays that is still the subject's: held, or younger than the erasure.
//   - Whatever else they seal is in Reseal or in Names, exactly, each with the
//     key that it has; nothing that goes is.
//
// In the commit Fresh are inserted and the survivors sealed under them, Keys
// are destroyed and leave tombstones. Of the subject's values that stay, those
// that a hold keeps are restricted, and stay linked; those about somebody else
// too are linked to the subject no more, unless a hold keeps them. The
// subject's row goes once nothing is linked to it any more but what went.
// The erasure is completed once no hold keeps any of it.
type Erase struct {
	// Erasure is the one that goes on. Where its ID is empty this commit begins
	// it, under the id of the change; times and counts are the store's.
	Erasure Erasure
	Keys    []string
	Fresh   []DataKey
	Reseal  []Resealed
	Names   []ResealedName
	// Request is what asked for it, nil for one that goes on. One that has no id
	// is opened by this commit, under the id of the change; another is changed as
	// UpdateRequest does, and the erasure has its id. Its state follows from what
	// came of the erasure: StateDeferred or StateCompleted; a later commit of the
	// erasure moves it on.
	Request *SubjectRequest
	// Suppress is for how long what is erased is kept out.
	Suppress Suppression
}

// Move seals values anew under fresh keys and destroys nothing: so that few have
// to be sealed anew in the commit of an erasure. What it names must be under the
// keys that it says, else ErrConflict.
type Move struct {
	Fresh  []DataKey
	Reseal []Resealed
	Names  []ResealedName
}

// Resealed is a survivor under its new key.
type Resealed struct {
	ScopeID, TokenID string
	From, To         string // data keys
	Sealed           []byte
}

// ResealedName is the name of a scope under its new key.
type ResealedName struct {
	ScopeID, From, To string
	Sealed            []byte
}

// LinkSubject ties every mapping that has one of the look-up digests, and is
// not retired, to a subject: to be made where New is set, else as it was read
// (otherwise ErrConflict). What is tied already stays as it is.
type LinkSubject struct {
	Subject SubjectUse
	// Keys are fresh data keys of the subject, where it is to be made and its
	// name is sealed under one.
	Keys    []DataKey
	Lookups []Digest
}

// UnlinkSubject undoes LinkSubject: ties of basis BasisLinked between the
// subject and mappings that have one of the look-up digests go. Where a hold
// keeps one of those mappings it fails with ErrHeld, since the hold may be about
// the subject.
type UnlinkSubject struct {
	SubjectRef string
	Lookups    []Digest
}
