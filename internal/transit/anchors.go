package transit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/hashicorp/vault/api"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/envelope"
)

// AnchorMount and AnchorFolder are where anchors are, unless Place says
// otherwise; deploy/transit/anchors.hcl names both.
const (
	AnchorMount  = "secret"
	AnchorFolder = "counterfoil/anchors"
)

// anchorTries bounds how often a write begins anew because another replica
// wrote in between. Each writes once a second; a third time is a fault.
const anchorTries = 3

// ErrFork says that an anchor states another log than the one that is kept, at
// the same size: one of the two is not the log that it claims to be.
var ErrFork = errors.New("transit: the anchor that is kept is of another log")

// Place is the folder of the anchors in a KV engine of version 2.
type Place struct{ Mount, Folder string }

// Anchors keeps the anchors of all tenants in a KV engine of version 2, a
// document for each: the memory of how far each log had come, in a place that
// does not fall with the database.
//
// Several replicas write at the same time. Each write is checked and set: an
// anchor never goes back to a smaller size, whoever comes last, and is never
// replaced by one that forks from it.
type Anchors struct {
	client  *api.Client
	session *session
	place   Place

	mu    sync.Mutex
	known map[string]kept // by tenant; what another replica wrote since is not
	ends  map[string]int  // by tenant: how many lines of its journal were seen
}

// kept is a document as it was last seen.
type kept struct {
	anchor  audit.Anchor
	version int  // 0 where there is none; one without an anchor was deleted
	aside   bool // it was set aside, and none is in its place
}

// OpenAnchors logs in.
func OpenAnchors(ctx context.Context, c Config, at Place) (*Anchors, error) {
	_, session, err := connect(ctx, c)
	if err != nil {
		return nil, err
	}
	if at.Mount == "" {
		at.Mount = AnchorMount
	}
	if at.Folder == "" {
		at.Folder = AnchorFolder
	}
	return &Anchors{client: session.client, session: session, place: at, known: make(map[string]kept), ends: make(map[string]int)}, nil
}

// Close forgets the token.
func (a *Anchors) Close() error {
	a.session.close()
	return nil
}

// Write replaces the anchor of a tenant, unless the one that is kept knows
// more. It fails with ErrFork where that is of another log.
func (a *Anchors) Write(anchor audit.Anchor) error {
	text, err := anchor.Marshal()
	if err != nil {
		return fmt.Errorf("transit: anchor of %s: %w", anchor.Tenant, err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	before, seen := a.known[anchor.Tenant]
	for range anchorTries {
		if !seen {
			if before, err = a.get(anchor.Tenant); err != nil {
				return err
			}
		}
		if before.anchor.Tenant != "" && before.anchor.Size >= anchor.Size {
			a.known[anchor.Tenant] = before
			return before.goesWith(anchor)
		}
		version, err := a.put(anchor.Tenant, map[string]any{"anchor": string(text)}, before.version)
		if err == nil {
			a.known[anchor.Tenant] = kept{anchor: anchor, version: version}
			return nil
		}
		if !errors.Is(err, errChanged) {
			return err
		}
		seen = false
		delete(a.known, anchor.Tenant)
	}
	return fmt.Errorf("%w: the anchor of %s changed %d times while it was written", envelope.ErrUnavailable, anchor.Tenant, anchorTries)
}

// SetAside puts another anchor in the place of the one of a tenant, or none. The
// one before stays among the older versions of the document and, where none is in
// its place, in the document.
func (a *Anchors) SetAside(tenant string, by *audit.Anchor) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	before, err := a.get(tenant)
	if err != nil {
		return err
	}
	var text []byte
	name := "anchor"
	switch {
	case by != nil:
		text, err = by.Marshal()
	case before.anchor.Tenant == "":
		return nil
	default:
		name = "aside"
		text, err = before.anchor.Marshal()
	}
	if err != nil {
		return fmt.Errorf("transit: anchor of %s: %w", tenant, err)
	}
	delete(a.known, tenant)
	_, err = a.put(tenant, map[string]any{name: string(text)}, before.version)
	return err
}

// goesWith tells whether an anchor of no larger size may be of the same log.
// Only at one size can that be seen without the log.
func (k kept) goesWith(anchor audit.Anchor) error {
	if k.anchor.Size == anchor.Size && k.anchor.Root != anchor.Root {
		return fmt.Errorf("%w: %s at size %d", ErrFork, anchor.Tenant, anchor.Size)
	}
	return nil
}

// Read returns all anchors. One that cannot be read strictly, or that somebody
// deleted, is an error: it must not count as none.
func (a *Anchors) Read() ([]audit.Anchor, error) {
	secret, err := a.ask(func(ctx context.Context) (*api.Secret, error) {
		return a.client.Logical().ListWithContext(ctx, a.place.Mount+"/metadata/"+a.place.Folder)
	})
	if err != nil || secret == nil {
		return nil, err
	}
	names, ok := secret.Data["keys"].([]any)
	if !ok {
		return nil, fmt.Errorf("%w: the anchors are not listed", envelope.ErrUnavailable)
	}
	anchors := make([]audit.Anchor, 0, len(names))
	for _, name := range names {
		name, _ := name.(string)
		if name == journalFolder {
			continue
		}
		found, err := a.document(name)
		switch {
		case err != nil:
			return nil, err
		case found.aside:
			continue
		case found.anchor.Tenant == "":
			return nil, fmt.Errorf("transit: %w: one that was there was deleted", audit.ErrAnchor)
		}
		anchors = append(anchors, found.anchor)
	}
	return anchors, nil
}

// get reads the anchor of a tenant, if there is one.
func (a *Anchors) get(tenant string) (kept, error) { return a.document(KeyName("", tenant)) }

// document reads a document by its name. One that was deleted has a version
// and no tenant.
func (a *Anchors) document(name string) (kept, error) {
	secret, err := a.ask(func(ctx context.Context) (*api.Secret, error) {
		return a.client.Logical().ReadWithContext(ctx, a.path(name))
	})
	if err != nil || secret == nil {
		return kept{}, err
	}
	metadata, _ := secret.Data["metadata"].(map[string]any)
	k := kept{version: versionIn(metadata)}
	if k.version < 1 {
		return kept{}, fmt.Errorf("%w: the engine of the anchors is no KV engine of version 2", envelope.ErrUnavailable)
	}
	data, _ := secret.Data["data"].(map[string]any)
	if data == nil {
		return k, nil
	}
	if _, k.aside = data["aside"].(string); k.aside {
		return k, nil
	}
	text, _ := data["anchor"].(string)
	if k.anchor, err = audit.ParseAnchor([]byte(text)); err != nil {
		return kept{}, fmt.Errorf("transit: an anchor: %w", err)
	}
	if KeyName("", k.anchor.Tenant) != name {
		return kept{}, fmt.Errorf("transit: %w: the one of %s is in another's place", audit.ErrAnchor, k.anchor.Tenant)
	}
	return k, nil
}

// errChanged says that somebody wrote since.
var errChanged = errors.New("transit: the document has another version")

// put writes a document if its version is still the given one, and returns the
// next.
func (a *Anchors) put(tenant string, data map[string]any, version int) (int, error) {
	secret, err := a.ask(func(ctx context.Context) (*api.Secret, error) {
		return a.client.Logical().WriteWithContext(ctx, a.path(KeyName("", tenant)), map[string]any{
			"options": map[string]any{"cas": version}, "data": data,
		})
	})
	if err != nil {
		return 0, err
	}
	if secret == nil || versionIn(secret.Data) < 1 {
		return 0, fmt.Errorf("%w: the engine of the anchors does not say that it wrote", envelope.ErrUnavailable)
	}
	return versionIn(secret.Data), nil
}

func (a *Anchors) path(name string) string {
	return a.place.Mount + "/data/" + a.place.Folder + "/" + name
}

func versionIn(data map[string]any) int {
	number, _ := data["version"].(json.Number)
	n, err := number.Int64()
	if err != nil {
		return 0
	}
	return int(n)
}

// ask makes a call, once more where the token was not taken. Its time is its
// own: who writes anchors has no request that could end.
func (a *Anchors) ask(call func(ctx context.Context) (*api.Secret, error)) (*api.Secret, error) {
	ctx, cancel := context.WithTimeout(context.Background(), CallTimeout)
	defer cancel()
	seen := a.session.taken.Load()
	secret, err := call(ctx)
	var refused *api.ResponseError
	if errors.As(err, &refused) && refused.StatusCode == http.StatusForbidden && a.session.check(ctx) == nil && a.session.taken.Load() != seen {
		secret, err = call(ctx)
	}
	switch {
	case err == nil:
		return secret, nil
	case errors.As(err, &refused) && mentions(refused.Errors, "check-and-set"):
		return nil, errChanged
	default:
		return nil, keysError(ctx, err)
	}
}
