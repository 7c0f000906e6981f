package localkey

import (
	"context"
	"os"
)

// Steps of a write, in order.
var Steps = []string{"create the temporary file", "write", "sync the file", "close", "rename", "sync the folder"}

// CreateWith is Create with a fault before a step.
func CreateWith(path string, before func(step string) error) error { return create(path, before) }

// RotateWith is Rotate with a fault before a step.
func (k *Key) RotateWith(ctx context.Context, before func(step string) error) error {
	return k.rotate(ctx, before)
}

// RetireWith is Retire with a fault before a step.
func (k *Key) RetireWith(ctx context.Context, below int, before func(step string) error) error {
	return k.retire(ctx, below, before)
}

// RotateUnlocked is Rotate without the lock of the folder, for a twin.
func (k *Key) RotateUnlocked(before func(step string) error) error { return k.addVersion(before) }

// RotateInPlace is how a careless program rewrites a file: a twin of the
// crash test runs against it.
func (k *Key) RotateInPlace(before func(step string) error, write func(path string, text []byte) error) error {
	f, err := readFile(k.path)
	if err != nil {
		return err
	}
	f.Versions = append(f.Versions, newVersion(f.last()+1))
	text := f.text()
	if err := write(k.path, text[:len(text)/2]); err != nil {
		return err
	}
	if err := before("write the rest"); err != nil {
		return err
	}
	return write(k.path, text)
}

// Reprint parses a key file and prints it again.
func Reprint(text []byte) ([]byte, error) {
	f, err := parseFile(text)
	if err != nil {
		return nil, err
	}
	return f.text(), nil
}

// Forge is a share of another value whose checksum is right.
func Forge(line string) string {
	s, err := parseShare(line)
	if err != nil {
		panic("localkey: " + err.Error())
	}
	s.value.Add(s.value, shareGroup.NewScalar().SetUint64(1))
	return s.String()
}

// JoinAny joins shares of a backup with a threshold of the caller's.
func JoinAny(backup string, threshold int, lines []string) ([]byte, error) {
	text, err := os.ReadFile(backup)
	if err != nil {
		return nil, err
	}
	f, err := parseBackup(text)
	if err != nil {
		return nil, err
	}
	return join(f.ID, threshold, lines)
}
