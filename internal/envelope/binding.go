package envelope

import "fmt"

// sealVersion is the format version of sealed values: their first byte, and
// part of the associated data.
const sealVersion = 0x01

// sealLabel begins the associated data of every sealed value, so that it can
// be taken for nothing else that a key might ever authenticate.
const sealLabel = "counterfoil/seal\x01"

// Binding is the place of a sealed value. It is authenticated with the value
// and stored nowhere in it: who opens must say the same. Purpose and Tenant
// are required; a field that does not apply is empty.
type Binding struct {
	Purpose string // what is sealed: a value, the name of a scope, a note
	Tenant  string
	Scope   string
	Token   string
	Format  string
	Entity  string
	Class   string
}

// fields lists what is bound, in the order of the format.
func (b *Binding) fields() [7]string {
	return [...]string{b.Purpose, b.Tenant, b.Scope, b.Token, b.Format, b.Entity, b.Class}
}

// check refuses a binding that binds nothing.
func (b *Binding) check() error {
	if b.Purpose == "" || b.Tenant == "" {
		return fmt.Errorf("%w: a binding needs a purpose and a tenant", ErrInvalid)
	}
	for _, field := range b.fields() {
		if len(field) > MaxField {
			return fmt.Errorf("%w: a binding field of more than %d bytes", ErrInvalid, MaxField)
		}
	}
	return nil
}

// associated returns the associated data.
func (b *Binding) associated() []byte {
	fields := b.fields()
	size := len(sealLabel)
	for _, field := range fields {
		size += lengthSize + len(field)
	}
	ad := append(make([]byte, 0, size), sealLabel...)
	for _, field := range fields {
		ad = appendField(ad, field)
	}
	return ad
}
