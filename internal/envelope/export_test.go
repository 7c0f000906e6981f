package envelope

// BindingFields names the fields of a Binding in the order of the format.
var BindingFields = []string{"Purpose", "Tenant", "Scope", "Token", "Format", "Entity", "Class"}

// NewDataKey makes a handle on a known key.
func NewDataKey(tenant, id string, key []byte) (*DataKey, error) { return newDataKey(tenant, id, key) }

// boundWithout is the associated data with one field left out.
func boundWithout(field int, b Binding) []byte {
	ad := []byte(sealLabel)
	for i, f := range b.fields() {
		if i != field {
			ad = appendField(ad, f)
		}
	}
	return ad
}

// SealWithout is Seal with one field left out of the associated data.
func (k *DataKey) SealWithout(field int, b Binding, plain []byte) ([]byte, error) {
	return k.seal(boundWithout(field, b), plain)
}

// OpenWithout is Open with one field left out of the associated data.
func (k *DataKey) OpenWithout(field int, b Binding, sealed []byte) ([]byte, error) {
	return k.open(boundWithout(field, b), sealed)
}

// Frame frames a key.
func Frame(purpose Purpose, tenant, id string, key []byte) []byte {
	return place{purpose, tenant, id}.frame(key)
}

// Unframe takes a frame apart and checks where it belongs.
func Unframe(purpose Purpose, tenant, id string, framed []byte) ([]byte, error) {
	return place{purpose, tenant, id}.unframe(framed)
}

// UnframeUnchecked takes a frame apart and does not check where it belongs.
func UnframeUnchecked(framed []byte) ([]byte, error) {
	_, key, err := parseFrame(framed)
	return key, err
}

// NewIndexKeyOneLabel is an index key that has one sub key for everything.
func NewIndexKeyOneLabel(secret Secret) *IndexKey {
	one := newSubKey(secret)
	return &IndexKey{
		identity: one, lookup: one, scope: one, subject: one, endUser: one,
		client: one, note: one, claim: one, source: one,
	}
}

// LeaveUnfinished writes into the HMACs of identities that are idle, as one would
// that stopped half way. It says whether there was one.
func (k *IndexKey) LeaveUnfinished() bool {
	mac, ok := k.identity.idle.Get().(*keyedHash)
	if ok {
		_, _ = mac.Write([]byte("half"))
		k.identity.idle.Put(mac)
	}
	return ok
}
