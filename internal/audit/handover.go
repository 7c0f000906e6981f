package audit

import (
	"fmt"
	"strconv"
	"strings"
)

// A Handover says that from Size entries on a log is signed by another key. It is
// a Statement that both keys sign: the old one, so that whoever trusts it may trust
// the new one; the new one, so that nobody hands a log to a key that is not theirs.
type Handover struct {
	Origin   string
	Size     int64 // of the log when the key changed
	Root     Hash  // of the log then
	Old, New string
}

func (h Handover) body() string {
	return h.Old + "\n" + h.New + "\n" + strconv.FormatInt(h.Size, 10) + "\n" + h.Root.String() + "\n"
}

// SignHandover signs the change from one key of a log to another.
func SignHandover(head TreeHead, from, to *Signer) ([]byte, error) {
	if from.VerifierKey() == to.VerifierKey() {
		return nil, fmt.Errorf("%w: a key is not handed over to itself", ErrKey)
	}
	if err := checkSize(head.Size); err != nil {
		return nil, err
	}
	h := Handover{Origin: head.Origin, Size: head.Size, Root: head.Root, Old: from.VerifierKey(), New: to.VerifierKey()}
	return SignStatement(Statement{Title: TitleHandover, Origin: head.Origin, Body: h.body()}, from, to)
}

// OpenHandover checks a handover: that a key which is trusted hands over, and that
// the one that takes over has signed too.
func OpenHandover(signed []byte, trusted ...string) (Handover, error) {
	s, err := OpenStatement(signed, TitleHandover, trusted...)
	if err != nil {
		return Handover{}, err
	}
	lines := strings.Split(s.Body, "\n")
	if len(lines) != 5 || lines[4] != "" {
		return Handover{}, fmt.Errorf("%w: the body of a handover is four lines", ErrStatement)
	}
	h := Handover{Origin: s.Origin, Old: lines[0], New: lines[1]}
	if h.Size, err = parseSize(lines[2]); err != nil {
		return Handover{}, fmt.Errorf("%w: %w", ErrStatement, err)
	}
	if h.Root, err = parseHash(lines[3]); err != nil {
		return Handover{}, fmt.Errorf("%w: %w", ErrStatement, err)
	}
	if h.Old == h.New {
		return Handover{}, fmt.Errorf("%w: a key is not handed over to itself", ErrKey)
	}
	for _, vkey := range []string{h.Old, h.New} {
		// Each of the two by itself, whatever else signed.
		if _, err := OpenStatement(signed, TitleHandover, vkey); err != nil {
			return Handover{}, fmt.Errorf("%w: both keys sign a handover", ErrSignature)
		}
	}
	for _, vkey := range trusted {
		if vkey == h.Old {
			return h, nil
		}
	}
	return Handover{}, fmt.Errorf("%w: who hands over is not trusted", ErrSignature)
}

// FollowHandovers returns the keys that are trusted once the handovers are
// followed, in order, from those that are. One that does not follow is an error.
func FollowHandovers(trusted []string, handovers ...[]byte) ([]string, error) {
	keys := append([]string(nil), trusted...)
	for i, signed := range handovers {
		h, err := OpenHandover(signed, keys...)
		if err != nil {
			return nil, fmt.Errorf("handover %d: %w", i+1, err)
		}
		keys = append(keys, h.New)
	}
	return keys, nil
}
