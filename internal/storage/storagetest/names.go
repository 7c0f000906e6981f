package storagetest

var nameClauses = []clause{}
