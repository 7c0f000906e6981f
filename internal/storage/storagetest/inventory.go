package storagetest

var inventoryClauses = []clause{}
