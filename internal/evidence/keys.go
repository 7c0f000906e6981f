package evidence

import "github.com/counterfoil/counterfoil/internal/audit"

// keys are what became of keys.
type keys struct {
	*builder
	rows    [][]string
	entries []int64
}

// What the entries of package vault count.
const (
	countKeys         = "keys"
	countRekeyed      = "rekeyed"
	countErased       = "erased"
	countDeferred     = "deferred"
	countShared       = "shared"
	countErasures     = "erasures"
	countMinVersion   = "min_wrap_version"
	countOldest       = "oldest_wrap_version"
	countRetiredBelow = "retired_below"
	countVersion      = "version"
)

// keyEvents are the words for what each kind of entry does to keys, and which count
// holds the version that it is about.
var keyEvents = map[audit.Kind]struct{ event, version string }{
	audit.KindTenantCreate: {event: "made"},
	audit.KindKeyCreate:    {event: "made"},
	audit.KindKeyRotate:    {"rotated", countMinVersion},
	audit.KindKeyRewrap:    {"wrapped_anew", countOldest},
	audit.KindKeyRetire:    {"versions_retired", countRetiredBelow},
	audit.KindFinality:     {"versions_destroyed", countRetiredBelow},
	audit.KindKeyDestroy:   {event: "destroyed"},
	audit.KindErase:        {event: "destroyed_by_erasure"},
	audit.KindReplay:       {event: "destroyed_by_replay"},
	audit.KindSweep:        {event: "destroyed_by_sweep"},
	audit.KindLogRotate:    {"log_key_rotated", countVersion},
}

// keyEvent tells whether the change is of a key.
func keyEvent(c *Change) bool {
	e := &c.Entry
	if _, known := keyEvents[e.Kind]; !known || !ran(e) {
		return false
	}
	switch e.Kind {
	case audit.KindErase, audit.KindReplay, audit.KindSweep:
		return keysOf(e) > 0
	default:
		return true
	}
}

// keysOf is how many keys an entry is about.
func keysOf(e *audit.Entry) int {
	if n, told := e.Counts[countKeys]; told {
		return n
	}
	return len(e.KeyIDs)
}

func (k *keys) take(c *Change, in bool) {
	if !in || !keyEvent(c) {
		return
	}
	e, about := &c.Entry, keyEvents[c.Entry.Kind]
	version := ""
	if about.version != "" {
		version = count(e.Counts[about.version])
	}
	final := ""
	if e.Kind == audit.KindFinality {
		final = count(e.Counts[countErasures])
	}
	w := k.words.one
	k.entries = append(k.entries, c.First)
	k.rows = append(k.rows, []string{
		place(c.First), moment(e.Time), e.ChangeID, about.event, version, count(keysOf(e)), final,
		w(e.Actor), w(e.Channel), e.Reference, c.Proceeding(),
	})
}

func (k *keys) tables() []Table {
	return []Table{{
		Name: TableKeys, Title: "Keys", Rows: k.rows, Entries: k.entries,
		Query: "Entries of the kinds tenant_create, key_create, key_rotate, key_rewrap, key_retire, finality, key_destroy and log_rotate in the period, " +
			"and of the kinds erase, replay and sweep that destroyed keys.",
		Notes: []string{
			"version: for rotated the oldest version under which keys are written, for wrapped_anew the oldest that was moved, for retired and destroyed ones the oldest that is left, for the log key the new one.",
			"Keys are made for each person and scope as they are needed: those that tokenize entries made are not listed.",
		},
		Columns: []Column{
			{"entry", "Entry", KindRef}, {"time", "Time", KindTime}, {"change_id", "Change", KindRef}, {"event", "Event", KindText},
			{"version", "Version", KindCount}, {"keys", "Keys", KindCount}, {"erasures", "Erasures final by it", KindCount},
			{"actor", "Actor", KindRef}, {"channel", "Channel", KindText}, {"reference", "Reference", KindRef}, {"approval", "Approval", KindRef},
		},
	}}
}
