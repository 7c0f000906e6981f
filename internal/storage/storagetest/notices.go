package storagetest

// noticeClauses are about notices that ride along.
var noticeClauses = []clause{}
