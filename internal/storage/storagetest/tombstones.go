package storagetest

var tombstoneClauses = []clause{}
