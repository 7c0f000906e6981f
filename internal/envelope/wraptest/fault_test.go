package wraptest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/counterfoil/counterfoil/internal/envelope"
)

// broken is a wrapper that keeps the contract but for one promise. Each field
// that is set replaces what Memory does.
type broken struct {
	*Memory
	wrap    func(ctx context.Context, tenant string, plain [][]byte) ([]envelope.Wrapped, error)
	unwrap  func(ctx context.Context, tenant string, wrapped []envelope.Wrapped) ([]envelope.Unwrapped, error)
	rewrap  func(ctx context.Context, tenant string, wrapped []envelope.Wrapped) ([]envelope.Rewrapped, error)
	version func(ctx context.Context, tenant string) (int, error)
}

func (b broken) Wrap(ctx context.Context, tenant string, plain [][]byte) ([]envelope.Wrapped, error) {
	if b.wrap != nil {
		return b.wrap(ctx, tenant, plain)
	}
	return b.Memory.Wrap(ctx, tenant, plain)
}

func (b broken) Unwrap(ctx context.Context, tenant string, wrapped []envelope.Wrapped) ([]envelope.Unwrapped, error) {
	if b.unwrap != nil {
		return b.unwrap(ctx, tenant, wrapped)
	}
	return b.Memory.Unwrap(ctx, tenant, wrapped)
}

func (b broken) Rewrap(ctx context.Context, tenant string, wrapped []envelope.Wrapped) ([]envelope.Rewrapped, error) {
	if b.rewrap != nil {
		return b.rewrap(ctx, tenant, wrapped)
	}
	return b.Memory.Rewrap(ctx, tenant, wrapped)
}

func (b broken) Version(ctx context.Context, tenant string) (int, error) {
	if b.version != nil {
		return b.version(ctx, tenant)
	}
	return b.Memory.Version(ctx, tenant)
}

// fault is one broken promise and the clause that must go red for it.
type fault struct {
	name  string
	red   string
	build func(b *broken)
}

// asTenant makes every method use another tenant than it is told.
func asTenant(b *broken, other func(string) string) {
	m := b.Memory
	b.wrap = func(ctx context.Context, t string, p [][]byte) ([]envelope.Wrapped, error) {
		return m.Wrap(ctx, other(t), p)
	}
	b.unwrap = func(ctx context.Context, t string, w []envelope.Wrapped) ([]envelope.Unwrapped, error) {
		return m.Unwrap(ctx, other(t), w)
	}
	b.rewrap = func(ctx context.Context, t string, w []envelope.Wrapped) ([]envelope.Rewrapped, error) {
		return m.Rewrap(ctx, other(t), w)
	}
	b.version = func(ctx context.Context, t string) (int, error) { return m.Version(ctx, other(t)) }
}

func faults() []fault {
	return slices.Concat(tenantFaults(), callFaults(), itemFaults(), versionFaults())
}

func tenantFaults() []fault {
	const red = "tenants are compared byte for byte"
	return []fault{
		{"one key for all tenants", red, func(b *broken) {
			asTenant(b, func(t string) string { return t[:min(1, len(t))] })
		}},
		{"tenants folded", red, func(b *broken) { asTenant(b, strings.ToLower) }},
		{"tenants trimmed", red, func(b *broken) { asTenant(b, strings.TrimSpace) }},
		{"tenants cut", red, func(b *broken) { asTenant(b, func(t string) string { return t[:min(200, len(t))] }) }},
		{"re-wraps for everybody", red, func(b *broken) {
			b.rewrap = func(_ context.Context, _ string, w []envelope.Wrapped) ([]envelope.Rewrapped, error) {
				return make([]envelope.Rewrapped, len(w)), nil
			}
		}},
		{"a default tenant", "no tenant is refused", func(b *broken) {
			asTenant(b, func(t string) string {
				if t == "" {
					return "default"
				}
				return t
			})
		}},
	}
}

func callFaults() []fault {
	return []fault{
		{"a weaker key while silent", "silence is ErrUnavailable", func(b *broken) {
			spare := NewMemory()
			b.wrap = func(ctx context.Context, t string, p [][]byte) ([]envelope.Wrapped, error) {
				if w, err := b.Memory.Wrap(ctx, t, p); err == nil {
					return w, nil
				}
				return spare.Wrap(ctx, t, p)
			}
		}},
		{"the context is ignored", "an ended context ends the call", func(b *broken) {
			b.version = func(ctx context.Context, t string) (int, error) {
				return b.Memory.Version(context.WithoutCancel(ctx), t)
			}
		}},
		{"the order is lost", "length and order are kept", func(b *broken) {
			b.unwrap = func(ctx context.Context, t string, w []envelope.Wrapped) ([]envelope.Unwrapped, error) {
				items, err := b.Memory.Unwrap(ctx, t, w)
				slices.Reverse(items)
				return items, err
			}
		}},
		{"large batches are cut", "length and order are kept", func(b *broken) {
			b.wrap = func(ctx context.Context, t string, p [][]byte) ([]envelope.Wrapped, error) {
				return b.Memory.Wrap(ctx, t, p[:min(256, len(p))])
			}
		}},
		{"one buffer for all calls", "calls run side by side", func(b *broken) {
			shared := make(chan [][]byte, 1)
			b.wrap = func(ctx context.Context, t string, p [][]byte) ([]envelope.Wrapped, error) {
				select {
				case last := <-shared: // what another call left there
					p = last
				default:
					shared <- [][]byte{bytes.Clone(p[0])}
				}
				return b.Memory.Wrap(ctx, t, p)
			}
		}},
		{"the argument is wiped", "arguments are neither changed nor kept", func(b *broken) {
			b.wrap = func(ctx context.Context, t string, p [][]byte) ([]envelope.Wrapped, error) {
				w, err := b.Memory.Wrap(ctx, t, p)
				for _, one := range p {
					clear(one)
				}
				return w, err
			}
		}},
		{"the argument is kept", "arguments are neither changed nor kept", func(b *broken) {
			keptArgument(b)
		}},
	}
}

// keptArgument gives back the slices that Wrap was given, by order of calls.
func keptArgument(b *broken) {
	kept := map[string][]byte{}
	b.wrap = func(ctx context.Context, t string, p [][]byte) ([]envelope.Wrapped, error) {
		w, err := b.Memory.Wrap(ctx, t, p)
		for i := range w {
			kept[string(w[i].Bytes)] = p[i]
		}
		return w, err
	}
	b.unwrap = func(ctx context.Context, t string, w []envelope.Wrapped) ([]envelope.Unwrapped, error) {
		items, err := b.Memory.Unwrap(ctx, t, w)
		for i := range items {
			if p, ok := kept[string(w[i].Bytes)]; ok {
				items[i].Plain = envelope.NewSecret(p)
			}
		}
		return items, err
	}
}

func itemFaults() []fault {
	return []fault{
		{"deterministic", "wrapping twice differs", func(b *broken) {
			b.wrap = func(_ context.Context, _ string, p [][]byte) ([]envelope.Wrapped, error) {
				w := make([]envelope.Wrapped, len(p))
				for i := range p {
					w[i] = envelope.Wrapped{Version: 1, Bytes: p[i]}
				}
				return w, nil
			}
		}},
		{"long keys are cut", "any size comes back", func(b *broken) {
			b.wrap = func(ctx context.Context, t string, p [][]byte) ([]envelope.Wrapped, error) {
				return b.Memory.Wrap(ctx, t, [][]byte{p[0][:min(4096, len(p[0]))]})
			}
		}},
		{"a bad item fails the call", "one bad item fails alone", func(b *broken) {
			b.unwrap = func(ctx context.Context, t string, w []envelope.Wrapped) ([]envelope.Unwrapped, error) {
				items, err := b.Memory.Unwrap(ctx, t, w)
				for _, item := range items {
					err = errors.Join(err, item.Err)
				}
				return items, err
			}
		}},
		{"trailing bytes are ignored", "every byte is authenticated", func(b *broken) {
			b.unwrap = func(ctx context.Context, t string, w []envelope.Wrapped) ([]envelope.Unwrapped, error) {
				w = slices.Clone(w)
				for i := range w {
					w[i].Bytes = w[i].Bytes[:min(len(w[i].Bytes), 60)] // 12 + 32 + 16
				}
				return b.Memory.Unwrap(ctx, t, w)
			}
		}},
		{"a refused item carries plaintext", "every byte is authenticated", func(b *broken) {
			b.unwrap = func(ctx context.Context, t string, w []envelope.Wrapped) ([]envelope.Unwrapped, error) {
				items, err := b.Memory.Unwrap(ctx, t, w)
				for i := range items {
					if items[i].Err != nil {
						items[i].Plain = envelope.NewSecret([]byte("half"))
					}
				}
				return items, err
			}
		}},
	}
}

func versionFaults() []fault {
	return []fault{
		{"any version opens", "the version is authenticated", func(b *broken) {
			b.unwrap = func(ctx context.Context, t string, w []envelope.Wrapped) ([]envelope.Unwrapped, error) {
				items := make([]envelope.Unwrapped, len(w))
				for i := range w {
					items[i].Err = envelope.ErrAuthentication
					for v := range 4 {
						one, err := b.Memory.Unwrap(ctx, t, []envelope.Wrapped{{Version: v, Bytes: w[i].Bytes}})
						if err == nil && one[0].Err == nil {
							items[i] = one[0]
						}
					}
				}
				return items, nil
			}
		}},
		{"the version told is not the one used", "wrap uses the version that is told", func(b *broken) {
			b.version = func(ctx context.Context, t string) (int, error) {
				v, err := b.Memory.Version(ctx, t)
				return v + 1, err
			}
		}},
		{"gone looks like tampered", "a destroyed version is gone", func(b *broken) {
			b.unwrap = func(ctx context.Context, t string, w []envelope.Wrapped) ([]envelope.Unwrapped, error) {
				items, err := b.Memory.Unwrap(ctx, t, w)
				for i := range items {
					if items[i].Err != nil {
						items[i].Err = envelope.ErrAuthentication
					}
				}
				return items, err
			}
		}},
		{"re-wrapping does nothing", "rewrap moves to the current version", func(b *broken) {
			b.rewrap = func(ctx context.Context, t string, w []envelope.Wrapped) ([]envelope.Rewrapped, error) {
				version, err := b.Memory.Version(ctx, t)
				items := make([]envelope.Rewrapped, len(w))
				for i := range w {
					items[i].Wrapped = envelope.Wrapped{Version: version, Bytes: w[i].Bytes}
				}
				return items, err
			}
		}},
		{"a rotation destroys", "a new version leaves older ones open", func(b *broken) {
			b.unwrap = func(ctx context.Context, t string, w []envelope.Wrapped) ([]envelope.Unwrapped, error) {
				version, err := b.Memory.Version(ctx, t)
				return slices.Repeat([]envelope.Unwrapped{{Err: envelope.ErrVersionGone}}, len(w)*min(1, version)), err
			}
		}},
	}
}
