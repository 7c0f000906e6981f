package storagetest

// suspensionClauses are about suspensions, and consents that a restoration rests on.
var suspensionClauses = []clause{}
