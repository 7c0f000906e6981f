package storagetest

var replayClauses = []clause{}
