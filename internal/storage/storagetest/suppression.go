package storagetest

var suppressionClauses = []clause{}
