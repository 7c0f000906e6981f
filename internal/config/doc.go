// Package config is the configuration of the process: one struct per way of
// running, checked as a whole before anything starts. A setting that weakens
// security has no default and is never guessed.
//
// [Dev] comes from flags. [Serve] comes from one YAML file, read strictly: a
// name that is no setting, a setting that is given twice or left empty, and an
// alias are faults, because each of them may be a rule that the operator
// believes to be in force. [Load] tells every fault at once, each with the path
// of its field (issuers[0].audience) and the rule that it breaks, never with its
// value. Relative paths are relative to the folder of the file.
//
// The environment can say what differs between replicas of one file, and nothing
// else: [EnvListen], [EnvEnvironment] and [EnvReplica]. It wins over the file.
// Other variables are not looked at, whatever their names begin with:
// orchestrators make up some of their own. Only where no credential of a bucket is
// named does the client of S3 look for one, in its own variables and files, or with
// the machine.
//
// Nothing in the file is a secret. Keys, certificates and headers are named by
// their files, and what those hold is in no error.
package config
