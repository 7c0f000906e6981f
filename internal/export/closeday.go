package export

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// list moves the objects of the day to a listing. Its name has a part of its hash,
// so that it is the same listing whenever it is there.
func (s *step) list(ctx context.Context) error {
	body := []byte(listing(s.state.Objects))
	object := seal("", body)
	object.Name = listingFolder + string(s.state.Day) + "/" + number(s.state.Next) + "-" + object.SHA256[:16]
	if err := s.put(ctx, object.Name, body); err != nil {
		return err
	}
	s.state.Objects = []Object{object.Object}
	return nil
}

// closeDay writes the manifest of the open day, all entries of which are out, and
// opens the next.
func (s *step) closeDay(ctx context.Context) error {
	if !s.state.Closing {
		s.state.Closing = true
		if err := s.log.save(ctx, s.state); err != nil {
			return err
		}
	}
	// The checkpoint that the manifest names comes before it.
	if err := s.putCheckpoint(ctx); err != nil {
		return err
	}
	m := Manifest{
		Day: string(s.state.Day), First: s.state.First, Last: s.state.Next - 1,
		Size: s.head.Size, Root: s.head.Root, Kinds: s.state.Kinds, Objects: slices.Clone(s.state.Objects),
	}
	if err := s.putManifest(ctx, m); err != nil {
		return err
	}
	// A crash before the next line finds the manifest and leaves it as it is.
	s.state.Day, s.state.First, s.state.Kinds, s.state.Objects = s.state.Day.next(), s.state.Next, nil, nil
	s.state.Closing = false
	if err := s.log.save(ctx, s.state); err != nil {
		return err
	}
	s.tell()
	s.progress.More = true
	return nil
}

func (s *step) putManifest(ctx context.Context, m Manifest) error {
	body, err := m.Marshal()
	if err != nil {
		return err
	}
	signed, err := s.log.Sign(ctx, audit.Statement{Title: audit.TitleManifest, Origin: s.log.Origin, Body: body})
	if err != nil {
		return fmt.Errorf("export: manifest of %s: %w", m.Day, err)
	}
	vkeys := verifierKeys(s.keys)
	if _, err := OpenManifest(signed, vkeys...); err != nil {
		return fmt.Errorf("export: manifest of %s: %w", m.Day, err)
	}
	name := manifestFolder + m.Day
	err = s.put(ctx, name, signed)
	if !errors.Is(err, ErrDiffers) {
		return err
	}
	// One that was written before a crash names the head of then; one from before a
	// cursor was lost may name other batches with the same entries.
	there, err := s.get(ctx, name)
	if err != nil {
		return err
	}
	if before, err := OpenManifest(there, vkeys...); err != nil || !before.says(m) {
		return fmt.Errorf("%w: %s", ErrDiffers, name)
	}
	return nil
}
