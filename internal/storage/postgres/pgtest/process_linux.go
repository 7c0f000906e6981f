package pgtest

import (
	"os/exec"
	"syscall"
)

// asUser has a command run as a user, and end when this process does: also
// when it is killed and can stop nothing itself.
func asUser(cmd *exec.Cmd, u *account, whenOrphaned syscall.Signal) {
	attr := &syscall.SysProcAttr{Pdeathsig: whenOrphaned, Setpgid: true}
	if u != nil {
		attr.Credential = &syscall.Credential{Uid: u.uid, Gid: u.gid}
	}
	cmd.SysProcAttr = attr
}
