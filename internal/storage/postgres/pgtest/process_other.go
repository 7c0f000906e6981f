//go:build unix && !linux

package pgtest

import (
	"os/exec"
	"syscall"
)

// asUser has a command run as a user. There is no way here to have it end with
// this process: a killed test leaves its server to be stopped by hand.
func asUser(cmd *exec.Cmd, u *account, _ syscall.Signal) {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if u != nil {
		attr.Credential = &syscall.Credential{Uid: u.uid, Gid: u.gid}
	}
	cmd.SysProcAttr = attr
}
