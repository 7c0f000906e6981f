package objectstore

// Unconditional makes a bucket that of a store without conditions.
func Unconditional(b *Bucket) { b.unconditional.Store(true) }
